"""The commands as they are typed."""

import json
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from gateway_cli.app import app
from gateway_cli.errors import FAILED, MISTAKEN
from tests.gateway_cli.tables import create_table
from tests.gateway_cli.upstreams.conftest import Bench

DONE = 0

# Every command here reads the code of no function, because moto has none: names are checked against the table alone.
UNCHECKED = "what the gateway is made of is not known, so names cannot be checked"


class Done(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


def call(*arguments: str) -> Done:
    done = CliRunner().invoke(app, ["upstreams", *arguments])
    return Done(done.exit_code, done.stdout, done.stderr)


def status(*arguments: str) -> dict[str, Any]:
    done = call("status", "--json", *arguments)
    assert done.exit_code == DONE, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def states(*arguments: str) -> dict[str, str]:
    return {line["name"]: line["state"] for line in status(*arguments)["upstreams"]}


def test_open_status_close(bench: Bench) -> None:  # noqa: ARG001
    done = call("open", "holysheep/gpt-4.1", "--for", "10m")
    assert done.exit_code == DONE
    assert done.stdout.startswith("holysheep/gpt-4.1 is open until ")
    assert "Gateway AiGateway/Gateway, table table (the only one of Region us-east-1)" in done.stderr
    assert UNCHECKED in done.stderr
    document = status()
    assert (document["table"], document["gateway"]) == ("table", "AiGateway/Gateway")
    assert [(line["name"], line["state"], line["by"]) for line in document["upstreams"]] == [
        ("holysheep", "closed", None),
        ("holysheep/gpt-4.1", "open", "operator"),
    ]
    assert document["upstreams"][1]["until"] > document["upstreams"][1]["since"]
    assert "holysheep/gpt-4.1  open" in call("status").stdout
    assert call("close", "holysheep", "--for", "1h").exit_code == DONE
    assert states() == {"holysheep": "closed", "holysheep/gpt-4.1": "closed"}


def test_status_of_one(bench: Bench) -> None:  # noqa: ARG001
    for name in ("holysheep/gpt-4.1", "openai"):
        assert call("open", name).exit_code == DONE
    assert states("holysheep/*") == {"holysheep": "closed", "holysheep/gpt-4.1": "open"}
    assert states("holysheep/gpt-4.1") == {"holysheep/gpt-4.1": "open"}
    done = call("status", "opnai")
    assert (done.exit_code, done.stdout) == (MISTAKEN, "")
    assert "nothing is known of 'opnai'" in done.stderr


def test_status_of_a_new_gateway(bench: Bench) -> None:  # noqa: ARG001
    assert "Nothing is known yet: every upstream is asked." in call("status").stdout
    assert status()["upstreams"] == []


def test_weight(bench: Bench) -> None:  # noqa: ARG001
    assert call("weight", "gpt-4", "holysheep/gpt-4.1", "2.5%").exit_code == DONE
    (weight,) = status()["weights"]
    assert (weight["model"], weight["target"], weight["operator"]) == ("gpt-4", "holysheep/gpt-4.1", 2.5)
    assert "2.5 %" in call("status").stdout
    assert call("weight", "gpt-4", "holysheep/gpt-4.1", "--reset").exit_code == DONE
    assert status()["weights"] == []


def test_what_was_done_for_scripts(bench: Bench) -> None:  # noqa: ARG001
    def done(*arguments: str) -> dict[str, Any]:
        result = call(*arguments, "--json")
        assert result.exit_code == DONE, result.stderr
        document: dict[str, Any] = json.loads(result.stdout)
        return {name: value for name, value in document.items() if value not in ([], None)}

    gateway = {"table": "table", "gateway": "AiGateway/Gateway"}
    opened = {"name": "holysheep", "state": "open", "by": "operator", "until": None}
    closed = {"name": "holysheep", "state": "closed", "by": "operator", "until": None}
    assert done("open", "holysheep") == {**gateway, "changed": True, "upstream": opened}
    assert done("close", "holysheep") == {**gateway, "changed": True, "upstream": closed, "before": [opened]}
    assert done("close", "holysheep") == {**gateway, "changed": False, "upstream": closed}
    until = done("open", "holysheep/gpt-4.1", "--for", "10m")["upstream"]["until"]
    assert until == {line["name"]: line["until"] for line in status()["upstreams"]}["holysheep/gpt-4.1"]
    weight = {"model": "gpt-4", "target": "holysheep/gpt-4.1"}
    written = done("weight", "gpt-4", "holysheep/gpt-4.1", "2.5%")
    assert written == {**gateway, "changed": True, "weights": [{**weight, "operator": 2.5}]}
    for changed in (True, False):
        again = done("weight", "gpt-4", "holysheep/gpt-4.1", "--reset")
        assert again == {**gateway, "changed": changed, "weights": [{**weight, "operator": None}]}
    assert call("weight", "gpt-4", "holysheep/gpt-4.1", "5").exit_code == DONE
    assert done("prefer", "--reset") == {**gateway, "changed": True, "weights": [{**weight, "operator": None}]}
    assert done("prefer", "--reset") == {**gateway, "changed": False}
    refused = call("prefer", "holysheep", "--json")
    assert (refused.exit_code, refused.stdout) == (FAILED, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("open", "holysheep", "--for", "10"), "a duration is a number and a unit"),
        (("close", "/gpt-4"), "name an upstream, as in 'holysheep'"),
        (("weight", "gpt-4", "holysheep", "5"), "a weight is that of a target"),
        (("weight", "gpt-4", "holysheep/gpt-4.1"), "give a weight from 0 to 100, or --reset"),
        (("weight", "gpt-4", "holysheep/gpt-4.1", "5", "--reset"), "give a weight from 0 to 100, or --reset"),
        (("weight", "gpt-4", "holysheep/gpt-4.1", "101"), "a weight is a percentage from 0 to 100, got '101'"),
        (("weight", "gpt-4", "holysheep/gpt-4.1", "nan"), "a weight is a percentage from 0 to 100, got 'nan'"),
        (("weight", "gpt-4", "holysheep/gpt-4.1", "half"), "a weight is a percentage from 0 to 100, got 'half'"),
        (("status", "--table", "table", "--stack", "Stack"), "leave out --stack"),
        (("status", "--local", "--region", "eu-central-1"), "leave out --region and --profile"),
        (("open",), "Missing argument 'NAME'"),
        (("prefer",), "name the upstream, or say --reset"),
        (("prefer", "holysheep/gpt-4.1"), "name an upstream, as in 'holysheep', got 'holysheep/gpt-4.1'"),
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(bench: Bench, arguments: tuple[str, ...], told: str) -> None:
    done = call(*arguments)
    assert (done.exit_code, done.stdout) == (MISTAKEN, "")
    assert told in done.stderr
    assert bench.dynamodb.scan(TableName="table")["Items"] == []


@pytest.mark.usefixtures("aws")
def test_no_gateway() -> None:
    create_table("others", gateway=None)
    done = call("status")
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "error: there is no gateway's table in Region us-east-1" in done.stderr


@pytest.mark.usefixtures("aws")
def test_no_region_no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    done = call("status")
    assert done.exit_code == FAILED
    assert "You must specify a region; name it with --region or AWS_REGION, or use --local" in done.stderr
    done = call("status", "--profile", "nobody")
    assert done.exit_code == FAILED
    assert "(nobody) could not be found; the profiles are in ~/.aws/config" in done.stderr
