from types import SimpleNamespace

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import api_gateway
from gateway_cli.errors import CommandError
from gateway_cli.keys.model import Plan
from gateway_cli.keys.store import KeyStore
from gateway_cli.keys.values import new_value
from tests.gateway_cli.gateways import NOW, Account


@pytest.fixture
def store(account: Account, monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    # What is tried again is tried again at once.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    return KeyStore(api_gateway(Connection(session=session())), account.api, clock=lambda: NOW)


def session():  # type: ignore[no-untyped-def]  # noqa: ANN201
    import boto3  # noqa: PLC0415

    return boto3.session.Session(region_name="us-east-1")


def test_plans_of_this_gateway_only(account: Account, store: KeyStore) -> None:
    account.add_plan("search", throttle={"rateLimit": 0.5, "burstLimit": 40}, quota={"limit": 50_000, "period": "DAY"})
    account.add_plan("batch jobs", quota={"limit": 7, "period": "MONTH"})
    account.add_plan("all", throttle={}, quota={})
    account.add_plan("others", api="another")
    assert [(plan.name, plan.limits) for plan in store.plans()] == [
        ("all", "no limits"),
        ("batch jobs", "7 a month"),
        ("search", "0.5/s, burst 40, 50,000 a day"),
    ]


def test_a_key_has_its_value_its_tags_and_its_plan(account: Account, store: KeyStore) -> None:
    account.add_consumer("batch jobs")
    (plan,) = store.plans()
    value = new_value()
    made = store.create("batch jobs", plan, value, replaces="old", overlap_ends=NOW + 0.5)
    kept = account.service.keys[made.key.id]
    assert (kept["value"], kept["enabled"], kept["name"]) == (value, True, "batch jobs 20270115T080000Z")
    assert kept["description"] == "AI gateway consumer batch jobs"
    assert account.members("batch jobs")[1:] == [made.key.id]
    assert (made.key.own, made.key.replaces, made.key.overlap_ends) == (True, "old", NOW)
    assert [key.own for key in store.keys([plan])] == [False, True]


def test_keys_are_the_gateways_alone(account: Account, store: KeyStore) -> None:
    ours = [account.add_consumer(name) for name in ("a", "b", "c")]
    account.add_consumer("a", api="another")
    account.service.add_key(name="in no plan", description="")
    assert [key.id for key in store.keys(store.plans())] == ours
    assert [key.id for key in store.keys(store.plans(), "a")] == [ours[0]]
    assert [key.id for key in store.keys(store.plans(), ours[1])] == [ours[1]]
    assert store.keys(store.plans(), "nobody") == []


def test_few_keys_take_few_calls(account: Account, store: KeyStore) -> None:
    for number in range(20):
        account.add_consumer(f"consumer {number}")
    plans = store.plans()
    account.service.asked.clear()
    assert len(store.keys(plans, "consumer 7")) == 1
    assert account.service.asked.count("GetUsagePlanKeys") == 1
    account.service.asked.clear()
    assert len(store.keys(plans)) == 20
    assert account.service.asked.count("GetUsagePlanKeys") == 20


def test_values_are_not_asked_for(account: Account, store: KeyStore) -> None:
    account.add_consumer("search")
    store.keys(store.plans())
    assert not any("includeValues" in query for query in account.service.queries)


@pytest.mark.parametrize("tag", ["", "tomorrow"])
def test_a_rotation_without_a_time_is_none(account: Account, store: KeyStore, tag: str) -> None:
    old = account.add_consumer("search")
    tags = {"ai-gateway:made-by": "ai-gateway-keys", "ai-gateway:replaces": old, "ai-gateway:overlap-ends": tag}
    new = account.service.add_key(name="search", description="AI gateway consumer search", tags=tags)
    account.members("search").append(new)
    assert {key.id: key.replaces for key in store.keys(store.plans())} == {old: "", new: ""}


@pytest.mark.parametrize("lost", [["CreateApiKey"], ["CreateUsagePlanKey"], ["CreateApiKey", "CreateUsagePlanKey"]])
def test_a_lost_answer_makes_no_second_key(account: Account, store: KeyStore, lost: list[str]) -> None:
    account.add_consumer("search")
    (plan,) = store.plans()
    account.service.lost = list(lost)
    value = new_value()
    made = store.create("search", plan, value)
    assert account.service.keys[made.key.id]["value"] == value
    assert len(account.service.keys) == 2
    assert account.members("search")[1:] == [made.key.id]


def test_a_key_that_joins_no_plan_is_taken_back(account: Account, store: KeyStore) -> None:
    account.add_consumer("search")
    with pytest.raises(ClientError, match="NotFoundException"):
        store.create("search", Plan(id="gone", name="gone"), new_value())
    assert len(account.service.keys) == 1


def test_a_key_that_cannot_be_taken_back_is_named(account: Account, store: KeyStore) -> None:
    account.service.refused["DeleteApiKey"] = ("AccessDeniedException", "no")
    with pytest.raises(CommandError) as caught:
        store.create("search", Plan(id="gone", name="gone"), new_value())
    (left,) = account.service.keys
    assert f"The key {left} was made, is in no plan, opens nothing" in str(caught.value)
    assert f"aws apigateway delete-api-key --api-key {left}" in str(caught.value)
    assert account.service.keys[left]["value"] not in str(caught.value)


def test_no_more_keys(account: Account, store: KeyStore) -> None:
    account.add_consumer("search")
    account.service.refused["CreateApiKey"] = ("LimitExceededException", "Maximum number of keys")
    with pytest.raises(CommandError, match="10,000 keys a Region at most; delete disabled ones"):
        store.create("search", store.plans()[0], new_value())


def test_what_is_gone_is_deleted(account: Account, store: KeyStore) -> None:
    key = account.add_consumer("search")
    store.delete(key)
    store.delete(key)
    assert account.service.keys == {}
