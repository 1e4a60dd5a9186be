import io
import json

from rich.console import Console

from gateway_cli.aws.tables import GatewayTable
from gateway_cli.upstreams.rendering import print_status, status_json
from gateway_cli.upstreams.status import Line, WeightLine, lines, stopped_models, targets_of, weight_lines
from gateway_cli.upstreams.store import Figures
from lambda_runtime.state.operator_actions import StateItem, WeightItem
from tests.gateway_cli.upstreams.conftest import NOW, configuration

OPEN = StateItem("holysheep/gpt-4.1", "open", NOW - 20, NOW + 40, openings=2, by="5 failures in a row")
COOLING = StateItem("holysheep/gpt-4.1", "cooling", NOW - 1, NOW + 29, by="429")
WHOLE = StateItem("holysheep/*", "open", NOW - 5, None, by="operator")
TABLE = GatewayTable(name="table", gateway="AiGateway/Gateway", stack="AiGateway", found="as named")


def told(found: list[Line]) -> dict[str, tuple[str, bool, int]]:
    return {line.name: (line.state.state, line.inherited, line.figures.calls) for line in found}


def test_every_upstream_with_its_models() -> None:
    found = lines([configuration()], [OPEN], {"holysheep/gpt-4.1": Figures(7, 5), "openai/whisper": Figures(2, 0)})
    assert told(found) == {
        "holysheep": ("closed", False, 7),
        "holysheep/gpt-4.1": ("open", False, 7),
        "holysheep/gpt-4.1-mini": ("closed", False, 0),
        "openai": ("closed", False, 2),
        "openai/gpt-4.1": ("closed", False, 0),
        "openai/gpt-4.1-mini": ("closed", False, 0),
        "openai/o9": ("closed", False, 0),
        "openai/whisper": ("closed", False, 2),
    }
    assert list(told(found)) == list(told(lines([configuration()], [OPEN], {"openai/whisper": Figures(2, 0)})))


def test_a_whole_upstream_holds_for_its_models() -> None:
    found = told(lines([configuration()], [WHOLE], {}))
    assert found["holysheep"] == ("open", False, 0)
    assert found["holysheep/gpt-4.1-mini"] == ("open", True, 0)
    assert found["openai/o9"] == ("closed", False, 0)


def test_an_open_breaker_goes_before_a_cooling() -> None:
    for states in ([OPEN, COOLING], [COOLING, OPEN]):
        assert told(lines([], states, {}))["holysheep/gpt-4.1"][0] == "open"
    closed = StateItem("holysheep/gpt-4.1", "closed", NOW)
    assert told(lines([], [COOLING, closed], {}))["holysheep/gpt-4.1"][0] == "cooling"


def test_without_a_configuration_what_the_table_knows() -> None:
    assert targets_of([], [OPEN, WHOLE]) == ["holysheep/gpt-4.1"]
    found = lines([], [OPEN], {"openai/whisper": Figures(2, 0)})
    assert list(told(found)) == ["holysheep", "holysheep/gpt-4.1", "openai", "openai/whisper"]


def test_weights_of_routes_that_have_any() -> None:
    assert [(line.model, line.target, line.configured, line.share) for line in weight_lines([configuration()], [])] == [
        ("gpt-4", "holysheep/gpt-4.1", 5, 5),
        ("gpt-4", "openai/gpt-4.1", None, 95),
    ]
    operators = [
        WeightItem("small", "openai/gpt-4.1-mini", 30.0, NOW),
        WeightItem("gone", "openai/x", 1.0, NOW),
        WeightItem("small", "openai/gone", 1.0, NOW),
    ]
    shown = [(line.model, line.target, line.share) for line in weight_lines([configuration()], operators)]
    assert shown == [
        ("gpt-4", "holysheep/gpt-4.1", 5),
        ("gpt-4", "openai/gpt-4.1", 95),
        ("small", "holysheep/gpt-4.1-mini", 70),
        ("small", "openai/gpt-4.1-mini", 30),
        ("small", "openai/gone", None),
        ("gone", "openai/x", None),
    ]


def test_models_that_are_left_without_a_target() -> None:
    assert stopped_models([configuration()], [WHOLE]) == []
    other = StateItem("openai/gpt-4.1", "open", by="operator")
    assert stopped_models([configuration()], [WHOLE, other]) == ["gpt-4"]
    # Of what failed the one that has rested longest is tried.
    assert stopped_models([configuration()], [StateItem("openai/o9", "open", by="failure rate")]) == []
    assert stopped_models([], [WHOLE]) == []


def printed(*states: StateItem, weights: list[WeightLine] | None = None, width: int | None = None) -> str:
    file = io.StringIO()
    console = Console(file=file, highlight=False, width=width, force_terminal=width is not None, color_system=None)
    figures = {"holysheep/gpt-4.1": Figures(12, 5)}
    print_status(console, lines([configuration()], states, figures if states else {}), weights or [], NOW)
    return file.getvalue()


def test_what_people_read() -> None:
    text = printed(OPEN, StateItem("openai/*", "open", NOW - 4000, by="operator"))
    row = next(line for line in text.splitlines() if line.startswith("  holysheep/gpt-4.1 "))
    assert row.split() == [
        *["holysheep/gpt-4.1", "open", "20", "s", "40", "s", "5", "failures", "in", "a", "row", "2", "5", "of", "12"],
    ]
    assert " 1 h " in next(line for line in text.splitlines() if line.startswith("openai "))
    assert "all of openai" in next(line for line in text.splitlines() if line.startswith("  openai/o9"))
    assert "failed: of the attempts of the last minute" in text


def test_a_narrow_terminal_loses_nothing() -> None:
    text = printed(OPEN, StateItem("openai/*", "open", NOW - 4000, by="operator"), width=80)
    assert max(map(len, text.splitlines())) <= 80
    words = text.split()
    for word in ("holysheep/gpt-4.1-mini", "failures", "row", "operator", "openings", "failed", "12", "closed"):
        assert word in words


def test_weights_that_people_read() -> None:
    operators = [WeightItem("gpt-4", "holysheep/gpt-4.1", 0.0, NOW), WeightItem("gone", "openai/x", 1.5, NOW)]
    text = printed(weights=weight_lines([configuration()], operators))
    rows = [line.split() for line in text.splitlines()[-3:]]
    at = ["0", "s"]
    assert rows == [
        ["gpt-4", "holysheep/gpt-4.1", "5", "%", "0", "%", "0", "%", *at],
        ["openai/gpt-4.1", "100", "%"],
        ["gone", "openai/x", "1.5", "%", "not", "in", "the", "model", "map", *at],
    ]


def test_what_scripts_read() -> None:
    weights = weight_lines([configuration()], [WeightItem("gpt-4", "holysheep/gpt-4.1", 0.0, NOW)])
    document = status_json(TABLE, lines([configuration()], [OPEN], {}), weights)
    assert json.loads(json.dumps(document)) == document
    assert document["upstreams"][1] == {
        "name": "holysheep/gpt-4.1",
        "state": "open",
        "inherited": False,
        "by": "5 failures in a row",
        "since": "2027-01-15T07:59:40Z",
        "until": "2027-01-15T08:00:40Z",
        "openings": 2,
        "calls": 0,
        "failures": 0,
    }
    assert document["upstreams"][0]["since"] is None
    assert document["weights"][0] == {
        "model": "gpt-4",
        "target": "holysheep/gpt-4.1",
        "configured": 5,
        "operator": 0,
        "since": "2027-01-15T08:00:00Z",
        "share": 0,
    }
