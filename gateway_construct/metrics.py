"""The gateway's own metrics, which the function writes with its log lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from aws_cdk import Duration, Token
from aws_cdk.aws_cloudwatch import Metric, Unit

from lambda_runtime.config import METRICS_NAMESPACE

NO_UPSTREAM = "none"
"""Stands for the upstream of a request that reached none."""

OTHER_MODEL = "other"
"""Stands for every model that the model map does not name."""

_MAX_NAMES = 20


class MetricOptions(TypedDict, total=False):
    """CloudWatch's own options of a metric. The period's default is 5 minutes."""

    period: Duration
    statistic: str
    label: str
    color: str
    account: str
    region: str
    unit: Unit


def metric(
    name: str,
    *,
    function_name: str,
    version: str | None,
    upstream: str | None,
    statistic: str,
    options: MetricOptions,
) -> Metric:
    """A metric of one gateway, of one version of it or of what one upstream answered.

    Raises:
        ValueError: if both a version and an upstream are given: the function writes no metric with both dimensions.
    """
    if version is not None and upstream is not None:
        raise ValueError(
            f"metric {name}: give version or upstream, not both, got version {version!r} and upstream {upstream!r}"
        )
    dimensions = {"Gateway": function_name}
    if version is not None:
        dimensions["Version"] = version
    if upstream is not None:
        dimensions["Upstream"] = upstream
    return _metric(name, dimensions, {"statistic": statistic, **options})


def token_metric(name: str, *, function_name: str, upstream: str | None, model: str | None, options: MetricOptions) -> Metric:
    """A count of tokens, of one gateway or of one model of an upstream.

    Raises:
        ValueError: if only one of upstream and model is given: the function writes no metric with one of the dimensions.
    """
    if (upstream is None) != (model is None):
        raise ValueError(
            f"metric {name}: give upstream and model, or neither, got upstream {upstream!r} and model {model!r}; "
            'model="other" stands for what the model map does not name'
        )
    dimensions = {"Gateway": function_name}
    if upstream is not None and model is not None:
        dimensions |= {"Upstream": upstream, "Model": model}
    return _metric(name, dimensions, {"statistic": "Sum", **options})


def require_known(name: str, dimension: str, value: str | None, known: Sequence[str]) -> None:
    """Refuse a dimension's value that the function never writes: an alarm on it would never ring.

    Args:
        name: the metric's.
        dimension: what the value is.
        value: what is asked for. None and tokens are taken as they are.
        known: what the function writes.

    Raises:
        ValueError: if it is none of these.
    """
    if value is None or Token.is_unresolved(value) or value in known:
        return
    more = f" and {len(known) - _MAX_NAMES} more" if len(known) > _MAX_NAMES else ""
    raise ValueError(f"metric {name}: there is no {dimension} {value!r}; known: {', '.join(known[:_MAX_NAMES])}{more}")


def _metric(name: str, dimensions: dict[str, str], settings: MetricOptions) -> Metric:
    return Metric(namespace=METRICS_NAMESPACE, metric_name=name, dimensions_map=dimensions, **settings)
