from __future__ import annotations

import itertools
from typing import Any

import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway, Upstream
from gateway_construct.dashboard_widgets import COLUMNS, alarm_states, dashboard_body, graph, text
from lambda_runtime.config import METRICS_NAMESPACE
from tests.gateway_construct.monitoring_kit import (
    RELEASE,
    Json,
    exists,
    metrics_of,
    monitoring,
    widgets,
    written_metrics,
)
from tests.gateway_construct.resources import of_type, synthesized

pytestmark = pytest.mark.template

EVERYTHING: Json = {"release_arn": RELEASE, "rotated": ["openai"]}


def titles(found: list[Json]) -> list[str]:
    return [widget["properties"]["title"] for widget in found if "title" in widget["properties"]]


def graph_of(found: list[Json], title: str) -> Json:
    (widget,) = (widget for widget in found if widget["properties"].get("title") == title)
    return widget


def check_rules(found: list[Json]) -> None:
    """CloudWatch's own: 24 columns, nothing over something else, 500 metrics in a graph, 100 alarms in a widget."""
    taken: set[tuple[int, int]] = set()
    for widget in found:
        assert set(widget) == {"type", "x", "y", "width", "height", "properties"}
        assert widget["type"] in {"metric", "text", "alarm"}
        assert 0 <= widget["x"] < widget["x"] + widget["width"] <= COLUMNS
        cells = set(
            itertools.product(
                range(widget["x"], widget["x"] + widget["width"]), range(widget["y"], widget["y"] + widget["height"])
            )
        )
        assert cells
        assert not cells & taken
        taken |= cells
        properties = widget["properties"]
        if widget["type"] == "metric":
            assert 0 < len(properties["metrics"]) <= 500
            assert properties["region"] == "AWS::Region"
            assert properties["period"] % 60 == 0
            ids = [metric[-1]["id"] for metric in properties["metrics"] if "id" in metric[-1]]
            assert len(ids) == len(set(ids))
        if widget["type"] == "alarm":
            assert 0 < len(properties["alarms"]) <= 100
    assert len(found) <= 500


def test_it_shows_everything(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway, **EVERYTHING)
    found = widgets(stack)
    check_rules(found)
    assert titles(found) == [
        "Alarms",
        "Requests",
        "Refused and failed at API Gateway",
        "Share of requests that fail",
        "First byte",
        "Whole request",
        "Requests by upstream",
        "Errors by upstream",
        "Circuits: 1 is open",
        "Input tokens by upstream and model",
        "Output tokens by upstream and model",
        "Requests under way",
        "Refused by Lambda",
        "Crashes",
        "Requests by version",
        "Share of requests that fail by version",
        "First byte by version, p90",
        "Rotations: 1 is unprepared",
        "Rotations: 1 has failed",
        "Releases",
    ]


def test_it_shows_nothing_that_there_is_not(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False)
    monitoring(stack, gateway, alarm_topic=None)
    found = widgets(stack)
    check_rules(found)
    assert not {"Alarms", "Circuits: 1 is open", "Releases", "Rotations: 1 has failed"} & set(titles(found))
    assert {widget["width"] for widget in found[4:8]} == {COLUMNS // 2}


@pytest.mark.parametrize("props", [EVERYTHING, {"alarm_topic": None}, {"release_arn": RELEASE}, {"rotated": ["openai"]}])
def test_every_metric_exists(stack: Stack, gateway: AiGateway, capsys: pytest.CaptureFixture[str], props: Json) -> None:
    monitoring(stack, gateway, **props)
    written = written_metrics(capsys)
    shown = [metric for widget in widgets(stack) for metric in metrics_of(widget)]
    assert [metric for metric in shown if not exists(metric, written)] == []
    assert {namespace for namespace, *_ in shown} >= {METRICS_NAMESPACE, "AWS/ApiGateway", "AWS/Lambda"}


def test_every_metric_of_the_runtime_is_shown(stack: Stack, gateway: AiGateway, capsys: pytest.CaptureFixture[str]) -> None:
    monitoring(stack, gateway, **EVERYTHING)
    shown = {name for widget in widgets(stack) for namespace, name, _ in metrics_of(widget) if namespace == METRICS_NAMESPACE}
    assert {name for _, name, _ in written_metrics(capsys)} == shown


def test_versions_are_searched_for(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway)
    (requests,) = graph_of(widgets(stack), "Requests by version")["properties"]["metrics"]
    function = stack.resolve(gateway.function.function_name)["Ref"]
    assert requests == [
        {
            "expression": f"SEARCH('{{AiGateway,Gateway,Version}} MetricName=\"Requests\" Gateway=\"{function}\"', 'Sum')",
            "label": "",
        }
    ]


def test_a_circuit_keeps_its_last_state(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway)
    circuits = graph_of(widgets(stack), "Circuits: 1 is open")["properties"]
    function = stack.resolve(gateway.function.function_name)["Ref"]
    assert circuits["metrics"] == [
        [{"expression": "FILL(m0, REPEAT)", "label": "openai"}],
        [
            "AiGateway",
            "CircuitOpen",
            "Gateway",
            function,
            "Upstream",
            "openai",
            {"stat": "Minimum", "id": "m0", "visible": False},
        ],
    ]


def test_requests_that_reach_no_upstream_are_shown(stack: Stack, gateway: AiGateway) -> None:
    monitoring(stack, gateway)
    metrics = graph_of(widgets(stack), "Errors by upstream")["properties"]["metrics"]
    assert [metric[-1]["label"] for metric in metrics] == ["openai", "none"]


def test_thirty_upstreams_with_rotations_fit(stack: Stack) -> None:
    names = [f"upstream-{number}" for number in range(30)]
    upstreams = [Upstream.openai_compatible(name, base_url="https://llm.example.com/v1") for name in names]
    monitoring(stack, AiGateway(stack, "Gateway", upstreams=upstreams), rotated=names, release_arn=RELEASE)
    check_rules(widgets(stack))


def test_the_text_is_the_same_each_time() -> None:
    bodies: list[Any] = []
    for _ in range(2):
        stack = Stack(App(), "Stack")
        monitoring(stack, AiGateway(stack, "Gateway", upstreams=[Upstream.openai(), Upstream.anthropic()]), **EVERYTHING)
        bodies += [dashboard["DashboardBody"] for dashboard in of_type(synthesized(stack), "CloudWatch::Dashboard").values()]
    assert bodies[: len(bodies) // 2] == bodies[len(bodies) // 2 :]


def test_rows_of_any_length_are_laid_out() -> None:
    one = graph("Title", [["A", "B", {"stat": "Sum"}]], region="AWS::Region", period=60)
    body = dashboard_body([[text("Hello")], [], [alarm_states("Alarms", ["arn"])], [one], [one] * 2, [one] * 3, [one] * 4])
    check_rules(body["widgets"])
    assert [widget["width"] for widget in body["widgets"]] == [24, 24, 24, 12, 12, 8, 8, 8, 6, 6, 6, 6]
