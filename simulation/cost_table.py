"""What a month costs at each size: the simulated quantities on the bill that `ai-gateway estimate` uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway_prices.bill import Line, Quantities, lines, total
from gateway_prices.gateway_cost import quantities
from gateway_prices.metrics import metric_count
from gateway_prices.traffic import Deployment, Traffic
from simulation.durations import LogNormal
from simulation.gateway_code import config
from simulation.inputs import MIDNIGHT, Inputs
from simulation.log_bytes import platform_lines, request_line
from simulation.markdown import row, size_name, table, usd
from simulation.scenario import Result, Scenario
from simulation.usage_items import mean_write_units, month_sizes


def traffic_of(size: int, inputs: Inputs) -> Traffic:
    """A size's traffic, as `ai-gateway estimate` takes it."""
    return Traffic(
        requests_per_day=size,
        input_tokens=inputs.usage.input_tokens,
        output_tokens=inputs.usage.output_tokens,
        stream_share=inputs.stream_share,
        stream_seconds=LogNormal(inputs.stream).mean,
        json_seconds=LogNormal(inputs.call).mean,
        peak_factor=inputs.peak,
    )


def deployment_of(result: Result, inputs: Inputs) -> Deployment:
    """The gateway, as `ai-gateway estimate` takes it, with what the simulation found of its starts."""
    return Deployment(
        memory_mb=inputs.memory_mb,
        secrets=inputs.upstreams,
        budgets=inputs.budget,
        metrics=metric_count(config(inputs.models), circuits=True, versions=1),
        log_bytes=request_line() + 2 * platform_lines(),
        cold_start_share=result.cold / result.served,
        init_seconds=inputs.billed_start,
        after_seconds=2 * inputs.table_call,
        authorizer_seconds=inputs.authorizer,
    )


def simulated_quantities(size: int, result: Result, inputs: Inputs) -> Quantities:
    """What AWS bills for in a month, by what the simulation counted.

    Args:
        size: requests a day.
        result: of a usual day.
        inputs: what is taken for given.
    """
    estimated = quantities(traffic_of(size, inputs), deployment_of(result, inputs))
    requests, meter = estimated.function_requests, result.meter
    windows = sum(traffic.units for key, traffic in meter.writes.items() if key.startswith("window#")) / result.served
    largest, others = inputs.largest_consumer, 1 - inputs.largest_consumer
    usage = largest * _month_units(size * largest, inputs) + others * _month_units(
        size * others / (inputs.consumers - 1), inputs
    )
    starting = result.cold * inputs.billed_start / result.served
    gigabytes = inputs.memory_mb / 1024
    return replace(
        estimated,
        function_gb_seconds=requests * (result.billed / result.served - starting) * gigabytes,
        init_gb_seconds=requests * starting * gigabytes,
        authorizer_gb_seconds=requests * result.authorizer_billed / result.requests * inputs.authorizer_memory_mb / 1024,
        table_writes=requests * (windows + usage),
        table_reads=requests * meter.all_reads.units / result.served,
    )


def costs(usual: Mapping[int, tuple[Scenario, Result]]) -> str:
    """USD a month by line, one column a size."""
    bills: dict[int, tuple[Line, ...]] = {
        size: lines(simulated_quantities(size, result, scenario.inputs)) for size, (scenario, result) in usual.items()
    }
    header = ("USD a month", *(f"{size_name(size)} a day" for size in bills))
    rows = [
        row(of_each[0].label, *(usd(line.usd) for line in of_each))
        for of_each in zip(*bills.values(), strict=True)
        if any(line.usd for line in of_each)
    ]
    rows.append(row("**together**", *(f"**{usd(total(bill))}**" for bill in bills.values())))
    million = [total(bill) / (traffic_of(size, usual[size][0].inputs).requests / 1e6) for size, bill in bills.items()]
    rows.append(row("for a million requests", *map(usd, million)))
    return table(header, rows)


def _month_units(requests_a_day: float, inputs: Inputs) -> float:
    return mean_write_units(month_sizes(inputs.usage, inputs.cost, requests_a_day, MIDNIGHT))
