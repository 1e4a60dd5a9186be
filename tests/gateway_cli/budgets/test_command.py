"""The commands as they are typed, on limits that are in the table."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
import pytest

from gateway_cli.aws.configurations import LiveVersion, UnknownConfigurationError
from gateway_cli.aws.permissions import PERMISSIONS
from gateway_cli.budgets import desk
from gateway_cli.budgets.store import TEMPLATE
from gateway_cli.errors import FAILED, MISTAKEN
from gateway_construct import Upstream
from lambda_runtime.config import LIMITS_VARIABLE, GatewayConfig, ModelRoute
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.config.prices import NANO, Price
from lambda_runtime.consumer_limits import index
from lambda_runtime.state import items
from lambda_runtime.state.usage_counts import usage_update
from lambda_runtime.usage import Usage
from tests.gateway_cli.gateways import DONE, Account, Done, call
from tests.gateway_cli.tables import REGION, create_table

TABLE = "table"
PRICE = Price(input=2, output=8)
READS = {LIMITS_VARIABLE: "1"}


def config(
    *, prices: Mapping[str, Price] | None = None, serve_unmapped_models: bool = True, models: Sequence[str] = ("gpt-4",)
) -> GatewayConfig:
    return GatewayConfig(
        upstreams=(Upstream.openai().config,),
        models={model: ModelRoute(["openai/gpt-4.1"]) for model in models},
        serve_unmapped_models=serve_unmapped_models,
        prices={"openai/*": PRICE} if prices is None else prices,
    )


class Gateway:
    """A gateway that reads limits, with a table and a consumer whose limits its template says."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.tags = account.service.apis[0]["tags"]
        self.tags |= {"ai-gateway:limits": TABLE, "ai-gateway:function": "function"}
        create_table(TABLE, gateway="AiGateway/Gateway", stack="AiGateway")
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.search = account.add_consumer("search")
        self.versions = [LiveVersion(config=config(), variables=READS)]
        self.deployed(ConsumerLimits(tokens_per_day=1000, usd_per_month=5))

    def deployed(self, limits: ConsumerLimits) -> None:
        """What a deployment writes."""
        text = {"S": limits.to_json()}
        key = {items.PARTITION_KEY: {"S": items.USAGE + self.search}, items.SORT_KEY: {"S": items.LIMITS}}
        self.dynamodb.put_item(TableName=TABLE, Item={**key, items.LIMITS: text, TEMPLATE: text})

    def used(self, tokens: int, usd: float | None = None, key: str = "") -> None:
        """Count an answer as the function does."""
        cost = None if usd is None else round(usd * NANO)
        self.dynamodb.update_item(**usage_update(key or self.search, Usage(tokens, 0), time.time(), cost).request(TABLE))

    def limits(self, key: str = "") -> ConsumerLimits | None:
        """What the function finds."""
        read = self.dynamodb.query(**items.query(TABLE, items.USAGE + (key or self.search), items.LIMITS))["Items"]
        return ConsumerLimits.from_json(items.text(read[0], items.LIMITS)) if read else None

    def set_text(self, text: str) -> None:
        update = items.Update(items.USAGE + self.search, items.LIMITS, sets={items.LIMITS: text})
        self.dynamodb.update_item(**update.request(TABLE))


@pytest.fixture
def gateway(account: Account, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway(account)
    monkeypatch.setattr(desk, "read_live_versions", lambda *_: made.versions)
    return made


def budgets(*arguments: str) -> Done:
    return call("budgets", *arguments)


def document(*arguments: str) -> dict[str, Any]:
    done = budgets(*arguments, "--json")
    assert done.exit_code == DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(*arguments: str, status: int = MISTAKEN) -> str:
    done = budgets(*arguments)
    assert (done.exit_code, done.stdout) == (status, "")
    return done.stderr


def test_the_deployments_function_writes_what_is_read_here() -> None:
    assert TEMPLATE == index.TEMPLATE


def test_what_is_used_of_what_for_people(gateway: Gateway) -> None:
    gateway.account.add_consumer("other")
    gateway.used(800, 1.25)
    gateway.used(10)
    lines = [line.split() for line in budgets("show").stdout.splitlines()]
    day, month = (time.gmtime(time.time() + seconds) for seconds in (86_400, 0))
    assert lines[0][:6] == ["consumer", "key", "budget", "used", "limit", "percent"]
    assert lines[1][0::2] == ["other", "-", "limits"]
    assert lines[2][0] == "search"
    assert lines[2][2:-1] == ["tokens_per_day", "810", "tokens", "1,000", "tokens", "81", "%"]
    assert lines[2][-1] == time.strftime("%Y-%m-%dT00:00:00Z", day)
    assert lines[3][:7] == ["usd_per_month", "USD", "1.25", "USD", "5.00", "25", "%"]
    assert lines[3][7] > time.strftime("%Y-%m-%d", month)
    assert " ".join(lines[4]) == (
        "Cost this month: USD 1.25, an estimate by the gateway's prices. "
        "1 of the answers are not in it: nobody has said what their models cost."
    )


def test_for_scripts(gateway: Gateway) -> None:
    gateway.used(1000, 5.5)
    (key,) = document("show", "search")["keys"]
    assert (key["id"], key["consumer"]) == (gateway.search, "search")
    assert key["limits"] == key["template"] == {"tokens_per_day": 1000, "usd_per_month": 5}
    day, month = key["budgets"]
    assert (day["budget"], day["used"], day["limit"], day["percent"], day["used_up"]) == (
        "tokens_per_day",
        1000,
        1000,
        100,
        True,
    )
    assert (month["budget"], month["used"], month["limit"], month["percent"]) == ("usd_per_month", 5.5, 5.0, 110)
    assert key["today"] == key["month"] == {"tokens": 1000, "cost_usd": 5.5, "requests": 1, "unpriced": 0}


def test_set_changes_what_is_named_and_nothing_else(gateway: Gateway) -> None:
    done = budgets("set", "search", "--tokens-per-day", "2_000_000", "--model", "gpt-4", "--model", "o*", "--shadow")
    assert done.exit_code == DONE, done.stderr
    expected = ConsumerLimits(tokens_per_day=2_000_000, usd_per_month=5, models=["gpt-4", "o*"], shadow=True)
    assert gateway.limits() == expected
    told = f"{gateway.search} may use: 2,000,000 tokens a day; USD 5.00 a month; of models only gpt-4, o*; budgets only"
    assert told in done.stdout
    assert "the template says of search's key" in done.stderr
    assert "set again by the deployment that changes it, and by no other" in done.stderr
    (key,) = document("set", "search", "--usd-per-month", "none", "--model", "none", "--enforce")["keys"]
    assert gateway.limits() == ConsumerLimits(tokens_per_day=2_000_000)
    assert (key["changed"], key["limits"]) == (True, {"tokens_per_day": 2_000_000})
    assert key["template"] == {"tokens_per_day": 1000, "usd_per_month": 5}
    assert f"The template says of {gateway.search}: 1,000 tokens a day; USD 5.00 a month." in budgets("show").stdout


def test_every_key_of_a_consumer_has_its_own(gateway: Gateway) -> None:
    second = json.loads(call("keys", "create", "search", "--json").stdout)["id"]
    assert [key["id"] for key in document("set", "search", "--tokens-per-day", "5")["keys"]] == [gateway.search, second]
    document("set", second, "--tokens-per-day", "7")
    assert [gateway.limits(key).tokens_per_day for key in (gateway.search, second)] == [5, 7]  # type: ignore[union-attr]


def test_clear(gateway: Gateway) -> None:
    gateway.used(3)
    done = budgets("clear", "search")
    assert f"search's key {gateway.search} has no limits any more" in done.stdout
    assert "the template says of search's key" in done.stderr
    assert gateway.limits() == ConsumerLimits()
    (key,) = document("show")["keys"]
    assert (key["limits"], key["budgets"], key["month"]["tokens"]) == ({}, [], 3)
    assert "had no limits" in budgets("clear", "search").stdout
    # Where no template says anything, nothing is left.
    second = json.loads(call("keys", "create", "other", "--plan", "search", "--tokens-per-day", "5", "--json").stdout)["id"]
    document("clear", second)
    assert gateway.limits(second) is None


def test_what_makes_no_sense(gateway: Gateway) -> None:
    assert "--tokens-per-day is a number as in 2_000_000" in refused("set", "search", "--tokens-per-day", "2.5")
    assert "say what the consumer may use: --tokens-per-day" in refused("set", "search")
    assert gateway.limits() == ConsumerLimits(tokens_per_day=1000, usd_per_month=5)


def test_nobody_of_that_name(gateway: Gateway) -> None:
    assert gateway.search
    assert "no consumer and no key 'serch'; did you mean 'search'?" in refused("clear", "serch")


def test_models_that_the_gateway_does_not_serve(gateway: Gateway) -> None:
    gateway.versions = [LiveVersion(config=config(serve_unmapped_models=False), variables=READS)]
    assert "the gateway serves none of these models: gpt4; it serves gpt-4" in refused("set", "search", "--model", "gpt4")
    assert budgets("set", "search", "--model", "gpt-*").exit_code == DONE
    # One that is served does not hide one that was mistyped.
    assert "none of these models: cluade*; it" in refused("set", "search", "--model", "gpt-4", "--model", "cluade*")


def test_models_of_a_version_that_is_on_its_way(gateway: Gateway) -> None:
    later = config(serve_unmapped_models=False, models=["gpt-4", "later"])
    gateway.versions = [LiveVersion(config=each, variables=READS) for each in (config(serve_unmapped_models=False), later)]
    assert budgets("set", "search", "--model", "gpt-4", "--model", "later").exit_code == DONE
    # Until it has all requests, its model alone would be refused to some.
    assert "none of these models: later; it serves gpt-4, later" in refused("set", "search", "--model", "later")


def test_money_without_prices(gateway: Gateway) -> None:
    gateway.versions = [LiveVersion(config=config(prices={}), variables=READS)]
    said = budgets("set", "search", "--usd-per-day", "5").stderr
    assert (
        "so that they are refused to a consumer with a budget in USD: openai/gpt-4.1, openai/*; state it with prices=" in said
    )
    said = budgets("set", "search", "--model", "gpt-4", "--shadow").stderr
    assert "so that they are answered and count nothing: openai/gpt-4.1; state it" in said


def test_a_gateway_that_does_not_read_limits_says_how_it_would(gateway: Gateway) -> None:
    gateway.versions = [LiveVersion(config=config(), variables={})]
    for command in (("show",), ("set", "search", "--tokens-per-day", "5")):
        assert (
            "this gateway does not read limits, so that none holds; deploy it with consumer_limits=True"
            in budgets(*command).stderr
        )
    assert document("show")["limits_hold"] is False
    # The table is found without the tag, too.
    del gateway.tags["ai-gateway:limits"]
    assert document("show", "--table", TABLE)["keys"][0]["limits"]
    assert document("show")["keys"][0]["limits"]


def test_during_a_release_that_brings_limits_they_hold_for_some_requests(gateway: Gateway) -> None:
    gateway.versions.append(LiveVersion(config=config(), variables={}))
    assert "they hold for a part of the requests only" in budgets("show").stderr


def test_where_the_configuration_cannot_be_read_the_tag_tells(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise UnknownConfigurationError("no permission")

    monkeypatch.setattr(desk, "read_live_versions", unreadable)
    done = budgets("show", "--json")
    assert json.loads(done.stdout)["limits_hold"] is True
    assert "limits are not checked by it: no permission" in done.stderr
    del gateway.tags["ai-gateway:limits"]
    assert document("show")["limits_hold"] is False


def test_limits_that_make_no_sense_are_told_and_can_be_replaced(gateway: Gateway) -> None:
    gateway.set_text("{")
    assert "makes no sense: every request is refused" in budgets("show").stdout
    assert document("show")["keys"][0]["limits"] is None
    document("set", "search", "--tokens-per-day", "5")
    assert gateway.limits() == ConsumerLimits(tokens_per_day=5)


def test_a_gateway_without_a_table(account: Account) -> None:
    account.add_consumer("search")
    done = budgets("show")
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "there is no gateway's table" in done.stderr


class TestKeys:
    """Keys that `ai-gateway keys` makes beside others."""

    def test_a_new_key_has_the_limits_of_those_beside_it(self, gateway: Gateway) -> None:
        done = call("keys", "create", "search")
        (second,) = set(gateway.account.members("search")) - {gateway.search}
        assert gateway.limits(second) == ConsumerLimits(tokens_per_day=1000, usd_per_month=5)
        assert "the limits of search for itself: no limits; 1,000 tokens a day; USD 5.00 a month." in done.stderr

    def test_another_consumer_has_those_of_its_plan_and_what_is_typed(self, gateway: Gateway) -> None:
        made = call("keys", "create", "mobile", "--plan", "search", "--usd-per-month", "2.5", "--model", "gpt-4", "--json")
        assert gateway.limits(json.loads(made.stdout)["id"]) == ConsumerLimits(
            tokens_per_day=1000, usd_per_month=2.5, models=["gpt-4"]
        )

    def test_a_key_that_replaces_another_has_its_limits(self, gateway: Gateway) -> None:
        document("set", "search", "--tokens-per-day", "7")
        made = call("keys", "rotate", "search", "--json")
        assert gateway.limits(json.loads(made.stdout)["id"]) == ConsumerLimits(tokens_per_day=7, usd_per_month=5)

    def test_limits_hold_before_the_key_opens_anything(self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[ConsumerLimits | None] = []
        joined = gateway.account.service._CreateUsagePlanKey  # type: ignore[attr-defined]

        def join(parts: list[str], query: Any, body: dict[str, Any]) -> Any:
            seen.append(gateway.limits(body["keyId"]))
            return joined(parts, query, body)

        monkeypatch.setattr(gateway.account.service, "_CreateUsagePlanKey", join)
        call("keys", "create", "search")
        assert seen == [ConsumerLimits(tokens_per_day=1000, usd_per_month=5)]

    def test_a_key_whose_limits_cannot_be_written_is_not_made(self, gateway: Gateway) -> None:
        gateway.dynamodb.delete_table(TableName=TABLE)
        done = call("keys", "create", "search")
        assert (done.exit_code, done.stdout) == (FAILED, "")
        assert gateway.account.members("search") == [gateway.search]

    def test_limits_that_make_no_sense_are_passed_on_to_nobody(self, gateway: Gateway) -> None:
        gateway.set_text("{")
        done = call("keys", "create", "search")
        assert (done.exit_code, done.stdout) == (FAILED, "")
        assert f"set them first: ai-gateway budgets set {gateway.search}" in done.stderr

    def test_where_limits_do_not_hold_none_are_promised(self, gateway: Gateway) -> None:
        del gateway.tags["ai-gateway:limits"]
        done = call("keys", "create", "search", "--tokens-per-day", "5")
        assert (done.exit_code, done.stdout) == (FAILED, "")
        assert "this gateway does not read limits, so that the key's would not hold and it was not made" in done.stderr
        assert call("keys", "create", "search").exit_code == DONE

    def test_a_deleted_key_leaves_no_limits(self, gateway: Gateway) -> None:
        second = json.loads(call("keys", "create", "search", "--json").stdout)["id"]
        assert call("keys", "delete", second, "--force").exit_code == DONE
        assert gateway.limits(second) is None


def test_usage_tells_costs_and_how_full_budgets_are(gateway: Gateway) -> None:
    gateway.used(810, 1.25)
    gateway.used(10)
    done = call("usage")
    assert done.stdout.splitlines()[1].split()[-3:] == ["1.25", "82", "%"]
    assert "USD are estimates by the gateway's prices; the provider's invoice says what is owed." in done.stdout
    assert "USD of 1 of the answers are missing" in done.stdout
    (found,) = json.loads(call("usage", "--json").stdout)["consumers"]
    assert (found["cost_usd"], found["unpriced"]) == (1.25, 1)
    assert [(one["budget"], one["percent"]) for one in found["keys"][0]["budgets"]] == [
        ("tokens_per_day", 82),
        ("usd_per_month", 25),
    ]


def test_permissions_are_known() -> None:
    assert {"BatchGetItem", "UpdateItem", "DeleteItem"} <= PERMISSIONS.keys()
