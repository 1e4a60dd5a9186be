"""Widgets of a CloudWatch dashboard, as the JSON that CloudWatch takes, and where they are put.

Written as what they are: the CDK's own classes for them cost a synth many calls, and can say nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

COLUMNS = 24
"""Of CloudWatch's grid."""

HEIGHT = 6
"""Of a graph, in rows of the grid."""


def line(namespace: str, name: str, dimensions: Mapping[str, str], stat: str, label: str = "", **more: Any) -> list[Any]:
    """A metric of a graph.

    Args:
        namespace: CloudWatch's.
        name: the metric's.
        dimensions: its dimensions.
        stat: the statistic, for example "Sum".
        label: what it is called. Default: CloudWatch's name of it.
        **more: CloudWatch's further options, for example `yAxis="right"`.
    """
    options = {"stat": stat, **({"label": label} if label else {}), **more}
    return [namespace, name, *(part for pair in dimensions.items() for part in pair), options]


def search(namespace: str, dimensions: Sequence[str], name: str, having: Mapping[str, str], stat: str) -> list[Any]:
    """All metrics of a graph that have these dimensions, those included that come to be after the dashboard is made.

    Args:
        namespace: CloudWatch's.
        dimensions: names of the dimensions.
        name: the metric's.
        having: values of some of the dimensions.
        stat: the statistic.
    """
    terms = " ".join(f'{dimension}="{value}"' for dimension, value in {"MetricName": name, **having}.items())
    # The label is left to CloudWatch, which then tells the metrics by what distinguishes them.
    return [{"expression": f"SEARCH('{{{','.join((namespace, *dimensions))}}} {terms}', '{stat}')", "label": ""}]


def held(index: int, metric: list[Any], label: str) -> list[list[Any]]:
    """A metric that is written when it changes only, as a line that keeps its last value.

    Args:
        index: of the metric in its graph.
        metric: what `line` made.
        label: what it is called.
    """
    *name, options = metric
    return [
        [{"expression": f"FILL(m{index}, REPEAT)", "label": label}],
        [*name, {**options, "id": f"m{index}", "visible": False}],
    ]


def graph(title: str, metrics: Sequence[list[Any]], *, region: str, period: int, axis: str = "", **more: Any) -> Json:
    """A graph over time.

    Args:
        title: what it shows.
        metrics: what `line`, `search` and `held` made.
        region: where the metrics are.
        period: seconds that each point stands for.
        axis: what the left axis counts. Default: nothing is said.
        **more: CloudWatch's further options, for example `stacked=True`.
    """
    return {
        "type": "metric",
        "height": HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "period": period,
            "metrics": list(metrics),
            "yAxis": {"left": {"min": 0, "showUnits": False, **({"label": axis} if axis else {})}},
            **more,
        },
    }


def text(markdown: str) -> Json:
    """A line of text."""
    return {"type": "text", "height": 1, "properties": {"markdown": markdown, "background": "transparent"}}


def alarm_states(title: str, alarm_arns: Sequence[str]) -> Json:
    """The states of alarms."""
    return {"type": "alarm", "height": 3, "properties": {"title": title, "alarms": list(alarm_arns)}}


def dashboard_body(rows: Sequence[Sequence[Json]]) -> Json:
    """The body of a dashboard.

    Args:
        rows: from top to bottom, the widgets of each from left to right, all equally wide.
    """
    placed: list[Json] = []
    y = 0
    for row in filter(None, rows):
        width = COLUMNS // len(row)
        placed += ({**widget, "x": x * width, "y": y, "width": width} for x, widget in enumerate(row))
        y += max(widget["height"] for widget in row)
    return {"widgets": placed}
