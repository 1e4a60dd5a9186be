"""The command as it is typed: requests of usage plans, tokens that the function has counted."""

import calendar
import json
import subprocess
import sys
import time
from typing import Any

import boto3
import pytest

from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_cli.usage.tokens import read_tokens
from lambda_runtime.state.usage_counts import usage_update
from lambda_runtime.usage import Usage
from tests.gateway_cli.gateways import DONE, Account, call
from tests.gateway_cli.tables import REGION, create_table
from tests.local_gateway import ROOT

OCTOBER = float(calendar.timegm((2026, 10, 5, 12, 0, 0)))


def used(consumer: str, usage: Usage, when: float = OCTOBER, table: str = "table") -> None:
    """Count an answer as the function does."""
    boto3.client("dynamodb", region_name=REGION).update_item(**usage_update(consumer, usage, when).request(table))


def document(*arguments: str) -> dict[str, Any]:
    done = call("usage", *arguments, "--month", "2026-10", "--json")
    assert done.exit_code == DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def search(account: Account) -> str:
    """A consumer with a table: its key's id."""
    create_table("table", gateway="AiGateway/Gateway", stack="AiGateway")
    return account.add_consumer("search")


def test_requests_of_the_plan_and_tokens_of_the_table(account: Account, search: str) -> None:
    other = account.add_consumer("other")
    second = json.loads(call("keys", "create", "search", "--json").stdout)["id"]
    assert account.service.usage is not None
    # Three keys in a plan are two pages: what is on the second one is not forgotten.
    account.service.usage[account.plan_of("search")] = {
        search: [[5, 95], [7, 88]],
        "deleted": [[99, 1]],
        second: [[1, 99], []],
    }
    used(search, Usage(100, 20, cached_tokens=60, reasoning_tokens=5))
    used(search, Usage(1, 2, estimated=True), OCTOBER + 86_400)
    used(second, Usage(10, 3, cache_write_tokens=4))
    used(second, Usage(1000, 1000), OCTOBER + 40 * 86_400)
    consumers = {one["consumer"]: one for one in document()["consumers"]}
    assert list(consumers) == ["other", "search"]
    assert consumers["other"]["keys"][0]["id"] == other
    assert (consumers["other"]["requests"], consumers["other"]["tokens"]["requests"]) == (0, 0)
    found = consumers["search"]
    assert found["requests"] == 13
    assert found["tokens"] == {
        "requests": 3,
        "input": 111,
        "output": 25,
        "cached": 60,
        "cache_write": 4,
        "reasoning": 5,
        "estimated": 1,
    }
    assert {day: of_day["input"] for day, of_day in found["days"].items()} == {"2026-10-05": 110, "2026-10-06": 1}
    assert {key["id"]: (key["requests"], key["tokens"]["input"]) for key in found["keys"]} == {
        search: (12, 101),
        second: (1, 10),
    }
    assert [one["consumer"] for one in document("search")["consumers"]] == ["search"]
    assert [one["consumer"] for one in document(second)["consumers"]] == ["search"]
    asked = account.service.queries[account.service.asked.index("GetUsage")]
    assert (asked["startDate"], asked["endDate"]) == ("2026-10-01", "2026-10-31")


def test_for_people(account: Account, search: str) -> None:
    account.add_consumer("other")
    used(search, Usage(1_234_567, 20, estimated=True))
    lines = call("usage", "--month", "2026-10").stdout.splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["consumer", "keys", "requests", "answered", "input", "cached", "output", "reasoning", "USD", "budget"],
        ["other", "1", "0", "0", "0", "0", "0", "0", "0.00"],
        ["search", "1", "0", "1", "1,234,567", "0", "20", "0", "-"],
        ["all", "2", "0", "1", "1,234,567", "0", "20", "0", "-"],
    ]
    assert lines[4] == "Tokens of 1 of the answers are estimated."


def test_this_month_unless_said_otherwise(search: str) -> None:
    used(search, Usage(7, 0), time.time())
    assert call("usage", "search").stdout.split().count("7") == 1


def test_without_a_table_the_requests_are_known(account: Account) -> None:
    key = account.add_consumer("search")
    assert account.service.usage is not None
    account.service.usage[account.plan_of("search")] = {key: [[5, 95]]}
    (found,) = document()["consumers"]
    assert (found["requests"], found["tokens"], found["days"]) == (5, None, {})
    done = call("usage", "--month", "2026-10")
    assert done.stdout.splitlines()[1].split() == ["search", "1", "5", "-", "-", "-", "-", "-", "-"]
    assert "without a table nobody counts tokens: there is no gateway's table" in done.stderr


def test_where_plans_count_nothing_the_tokens_are_known(account: Account, search: str) -> None:
    account.service.usage = None
    used(search, Usage(7, 1))
    (found,) = document()["consumers"]
    assert (found["requests"], found["tokens"]["input"]) == (None, 7)
    assert "nobody counts the requests of usage plans here" in call("usage").stderr


def test_another_gateways_table_is_not_taken(account: Account) -> None:
    key = account.add_consumer("search")
    create_table("table", gateway="Other/Gateway", stack="Other")
    used(key, Usage(7, 1))
    assert document()["consumers"][0]["tokens"] is None
    # Unless it is named.
    assert document("--table", "table")["consumers"][0]["tokens"]["input"] == 7


def test_a_kept_table_beside_a_new_one(account: Account, search: str) -> None:  # noqa: ARG001
    create_table("kept", gateway="AiGateway/Gateway", stack="AiGateway")
    done = call("usage")
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "name one of them with --gateway or --table" in done.stderr
    used(search, Usage(7, 1), table="kept")
    assert document("--table", "kept")["consumers"][0]["tokens"]["input"] == 7


@pytest.mark.usefixtures("account")
def test_nobody_has_a_key() -> None:
    assert call("usage").stdout == "There is no key yet, so nothing was used.\n"
    assert document()["consumers"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--month", "soon"), "a month is written as in 20"), (("nobody",), "no consumer and no key 'nobody'")],
)
def test_what_makes_no_sense(search: str, arguments: tuple[str, ...], told: str) -> None:  # noqa: ARG001
    done = call("usage", *arguments)
    assert (done.exit_code, done.stdout) == (MISTAKEN, "")
    assert told in done.stderr


def test_the_permission_that_is_missing_is_named(account: Account, search: str) -> None:  # noqa: ARG001
    account.service.refused["GetUsage"] = ("AccessDeniedException", "User: x is not authorized")
    done = call("usage")
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "it takes apigateway:GET on /usageplans/*/usage" in done.stderr


class Reluctant:
    """DynamoDB that reads a number of items in a call, and leaves the others."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self.calls = 0

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        self.calls += 1
        keys = RequestItems["table"]["Keys"]
        assert 0 < len(keys) <= 100
        read = [{**key, "n": {"N": "1"}} for key in keys[: self._at_once]]
        left = {"table": {"Keys": keys[self._at_once :]}} if len(keys) > self._at_once else {}
        return {"Responses": {"table": read}, "UnprocessedKeys": left}


@pytest.mark.parametrize(("keys", "at_once", "calls"), [(0, 9, 0), (100, 100, 1), (250, 100, 3), (250, 60, 5)])
def test_many_keys_and_a_busy_table(keys: int, at_once: int, calls: int) -> None:
    table = Reluctant(at_once)
    found = read_tokens(table, "table", [f"key{number}" for number in range(keys)], "2026-10")
    assert len(found) == keys
    assert all(month.total.requests == 1 for month in found.values())
    assert table.calls == calls


def test_a_table_that_gives_nothing() -> None:
    with pytest.raises(CommandError, match="asked for more than it gives at the moment; try again"):
        read_tokens(Reluctant(0), "table", ["key"], "2026-10")


def test_nothing_of_this_needs_httpx() -> None:
    """The extra `cli` does not install it, and the counting side of the runtime imports it."""
    program = "import sys; sys.modules['httpx'] = None; import gateway_cli.app"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
