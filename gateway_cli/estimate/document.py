"""The estimate as JSON. Names of fields never change; every amount of money is called an estimate where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway_cli.estimate.models import price_list
from gateway_cli.estimate.report import Estimate
from gateway_prices.aws import CHECKED
from gateway_prices.bill import Line
from lambda_runtime.config.prices import price_document

_CENTS = 4


def estimate_json(estimate: Estimate, assumed: Sequence[str], gateway: str | None) -> dict[str, Any]:
    """Everything that the table shows, and more exactly.

    Args:
        estimate: the estimate.
        assumed: options that nobody gave.
        gateway: path of the gateway that was read. None: none was.
    """
    savings = estimate.savings
    return {
        **header(),
        "gateway": gateway,
        "inputs": _inputs(estimate),
        "assumed": list(assumed),
        "aws": {
            "lines": [line_json(line) for line in estimate.bill],
            "estimated_usd_month": usd(estimate.aws_usd),
            "estimated_idle_usd_month": usd(estimate.idle_usd),
            "estimated_fixed_usd_month": usd(estimate.fixed_usd),
            "estimated_usd_next_million_requests": usd(estimate.million_usd),
        },
        "inference": {
            "models": [
                {
                    "model": part.model.name,
                    "share": part.model.share,
                    "price": {**price_document(part.model.price), "source": part.model.source},
                    "applied_price": {**price_document(part.price), "above_input_tokens": part.above},
                    "input_tokens_month": round(part.input_tokens),
                    "output_tokens_month": round(part.output_tokens),
                    "estimated_usd_month": usd(part.usd),
                }
                for part in estimate.inference
            ],
            "estimated_usd_month": usd(estimate.inference_usd),
        },
        "total": {"estimated_usd_month": usd(estimate.aws_usd + estimate.inference_usd)},
        "savings": savings
        and {
            "today": {
                "estimated_inference_usd_month": usd(savings.today_inference),
                "infrastructure_usd_month": usd(savings.today_infrastructure),
                "estimated_usd_month": usd(savings.today),
            },
            "estimated_usd_month": usd(savings.month),
            "estimated_usd_year": usd(savings.year),
            "estimated_share": None if savings.share is None else round(savings.share, 4),
        },
        "concurrency": {"estimate": True, **asdict(estimate.concurrency)},
        "quotas": [{"estimate": True, **asdict(quota), "exceeded": quota.exceeded} for quota in estimate.quotas],
        "containers": [
            {
                "name": one.containers.name,
                "label": one.containers.label,
                "estimated_usd_month": usd(one.usd),
                "estimated_idle_usd_month": usd(one.idle_usd),
                "estimated_tasks": round(one.tasks, 2),
                "estimated_tasks_at_peak": one.tasks_at_peak,
                "estimated_crossover_requests_per_day": _whole(one.cheaper_from),
                "estimated_crossover_requests_per_day_at_128_mb": _whole(one.cheaper_from_smallest),
            }
            for one in estimate.compared
        ],
    }


def header() -> dict[str, Any]:
    """What all documents of estimates begin with."""
    return {
        "estimate": True,
        "currency": "USD",
        "region": "us-east-1",
        "prices": {"aws": CHECKED, "models": price_list()},
    }


def line_json(line: Line) -> dict[str, Any]:
    """A line of the bill."""
    return {
        "name": line.name,
        "label": line.label,
        "amount": round(line.amount, _CENTS),
        "unit": line.unit,
        "estimated_usd_month": usd(line.usd),
    }


def usd(amount: float) -> float:
    """Money as JSON has it: to a hundredth of a cent."""
    return round(amount, _CENTS)


def _inputs(estimate: Estimate) -> dict[str, Any]:
    asked = estimate.asked
    today = asked.today_price
    return {
        **asdict(asked.traffic),
        **asdict(asked.deployment),
        "models": {model.name: model.share for model in asked.models},
        "task_requests": asked.capacity.requests,
        "task_events": asked.capacity.events,
        "today_model_price": today and price_document(today),
        "today_infrastructure_usd_month": asked.today_infrastructure,
    }


def _whole(requests: float | None) -> int | None:
    return None if requests is None else round(requests)
