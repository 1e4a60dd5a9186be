"""The function that writes consumers' limits, against moto's DynamoDB; its answers go to a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.consumer_limits import index
from lambda_runtime.custom_resource import answer as custom_resource
from lambda_runtime.state import items

TABLE, KEY = "table", "key1"
FEW, MORE = ConsumerLimits(tokens_per_day=1).to_json(), ConsumerLimits(tokens_per_day=2, models=["gpt-*"]).to_json()


class Account:
    """A table, and what CloudFormation was told."""

    def __init__(self, answers: list[dict[str, Any]], url: str) -> None:
        self.answers = answers
        self.url = url
        self.dynamodb = boto3.client("dynamodb")
        self.make_table(TABLE)

    def make_table(self, name: str) -> None:
        keys = {items.PARTITION_KEY: "HASH", items.SORT_KEY: "RANGE"}
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )

    def send(self, request: str, properties: dict[str, str], **more: Any) -> dict[str, Any]:
        """An event of CloudFormation; gives the answer."""
        event = {
            "RequestType": request,
            "ResourceType": "Custom::AiGatewayConsumerLimits",
            "StackId": "stack",
            "RequestId": "request-1",
            "LogicalResourceId": "Limits",
            "ResponseURL": self.url,
            "ResourceProperties": properties,
            **more,
        }
        index.handler(event, None)
        return self.answers[-1]

    def create(self, limits: str = FEW, key: str = KEY, table: str = TABLE) -> str:
        answer = self.send("Create", properties(limits, key, table))
        assert answer["Status"] == "SUCCESS", answer
        return str(answer["PhysicalResourceId"])

    def update(self, new: dict[str, str], old: dict[str, str], physical_id: str) -> str:
        answer = self.send("Update", new, OldResourceProperties=old, PhysicalResourceId=physical_id)
        assert answer["Status"] == "SUCCESS", answer
        return str(answer["PhysicalResourceId"])

    def delete(self, physical_id: str, **about: str) -> dict[str, Any]:
        return self.send("Delete", properties(**about), PhysicalResourceId=physical_id)

    def limits(self, key: str = KEY, table: str = TABLE) -> str | None:
        """What holds for a key, read as the gateway reads it."""
        found = self.dynamodb.query(**items.query(table, items.USAGE + key, "2026-11"))["Items"]
        texts = {items.text(item, items.SORT_KEY): items.text(item, items.LIMITS) for item in found}
        return texts.get(items.LIMITS)

    def set(self, limits: str, key: str = KEY) -> None:
        """What an operator does by the command."""
        update = items.Update(items.USAGE + key, items.LIMITS, sets={items.LIMITS: limits})
        self.dynamodb.update_item(**update.request(TABLE))

    def item(self, key: str = KEY) -> dict[str, str] | None:
        """The attributes of a key's item but its keys."""
        found = self.dynamodb.query(**items.query(TABLE, items.USAGE + key, items.LIMITS))["Items"]
        texts = [{name: items.text(item, name) for name in item if name not in {"pk", "sk"}} for item in found]
        return texts[0] if texts else None


def properties(limits: str = FEW, key: str = KEY, table: str = TABLE) -> dict[str, str]:
    return {"ServiceToken": "function", "Table": table, "KeyId": key, "Limits": limits}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    answers: list[dict[str, Any]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        with mock_aws():
            account = Account(answers, f"http://127.0.0.1:{server.server_port}/")
            # Making one takes longer than a test.
            monkeypatch.setattr(boto3, "client", lambda _: account.dynamodb)
            yield account
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_its_words_are_those_of_the_gateway() -> None:
    assert (index.PARTITION, index.LIMITS) == (items.USAGE, items.LIMITS)


def test_limits_come_change_and_go(account: Account) -> None:
    made = account.create(FEW)
    assert account.limits() == FEW
    assert account.update(properties(MORE), properties(FEW), made) == made
    assert account.limits() == MORE
    assert account.delete(made, limits=MORE)["Status"] == "SUCCESS"
    assert account.limits() is None


def test_a_month_of_usage_stays_when_limits_go(account: Account) -> None:
    used = items.Update(items.USAGE + KEY, "2026-11", sets={}, adds={items.USAGE_COUNTS["requests"]: 3})
    account.dynamodb.update_item(**used.request(TABLE))
    account.delete(account.create())
    (left,) = account.dynamodb.query(**items.query(TABLE, items.USAGE + KEY))["Items"]
    assert items.count(left, items.USAGE_COUNTS["requests"]) == 3


def test_a_repeated_event_changes_nothing(account: Account) -> None:
    assert account.create(FEW) == account.create(FEW)
    made = account.create(FEW)
    for _ in range(2):
        assert account.delete(made)["Status"] == "SUCCESS"


def test_another_key_is_another_resource(account: Account) -> None:
    made = account.create(key="old")
    replaced = account.update(properties(key="new"), properties(key="old"), made)
    assert replaced != made
    # CloudFormation cleans up. Whichever properties it sends along, the new key's limits stay.
    for key in ("old", "new"):
        assert account.delete(made, key=key)["Status"] == "SUCCESS"
        assert (account.limits("old"), account.limits("new")) == (None, FEW)


def test_a_rollback_of_another_key(account: Account) -> None:
    made = account.create(key="old")
    replaced = account.update(properties(MORE, key="new"), properties(key="old"), made)
    # The update fails later: the old properties come back as an update, and what they replace is deleted.
    assert account.update(properties(key="old"), properties(MORE, key="new"), replaced) == made
    account.delete(replaced, limits=MORE, key="new")
    assert (account.limits("old"), account.limits("new")) == (FEW, None)


def test_a_rollback_of_other_limits(account: Account) -> None:
    made = account.create(FEW)
    account.update(properties(MORE), properties(FEW), made)
    assert account.update(properties(FEW), properties(MORE), made) == made
    assert account.limits() == FEW


def test_another_table(account: Account) -> None:
    account.make_table("other")
    made = account.create()
    replaced = account.update(properties(table="other"), properties(), made)
    account.delete(made)
    assert replaced != made
    assert (account.limits(), account.limits(table="other")) == (None, FEW)


def test_what_an_operator_has_set_holds_until_the_template_says_something_new(account: Account) -> None:
    made = account.create(FEW)
    account.set(MORE)
    account.update(properties(FEW) | {"ServiceToken": "another"}, properties(FEW), made)
    assert account.limits() == MORE
    other = ConsumerLimits(tokens_per_day=9).to_json()
    account.update(properties(other), properties(FEW), made)
    assert account.limits() == other


def test_a_creation_that_is_rolled_back_puts_an_operators_limits_back(account: Account) -> None:
    account.set(MORE)
    for _ in range(2):  # Lambda may call a function twice for one event
        made = account.create(FEW)
        assert account.item() == {"limits": FEW, "template": FEW, "before": MORE}
    for _ in range(2):
        account.delete(made)
        assert account.item() == {"limits": MORE}


def test_they_come_back_as_well_when_the_template_has_said_other_limits_meanwhile(account: Account) -> None:
    account.set(MORE)
    made = account.create(FEW)
    other = ConsumerLimits(tokens_per_day=9).to_json()
    account.update(properties(other), properties(FEW), made)
    assert account.limits() == other
    account.delete(made, limits=other)
    assert account.item() == {"limits": MORE}


@pytest.mark.parametrize("before", [None, FEW])
def test_what_an_operator_has_set_since_stays_when_the_templates_limits_go(account: Account, before: str | None) -> None:
    if before:
        account.set(before)
    made = account.create(FEW)
    account.set(MORE)
    for _ in range(2):
        assert account.delete(made)["Status"] == "SUCCESS"
        assert account.item() == {"limits": MORE}


def test_a_rollback_to_the_key_that_had_them_leaves_what_an_operator_has_set_there(account: Account) -> None:
    made = account.create(FEW, key="old")
    account.set(MORE, "old")
    account.set(MORE, "new")
    replaced = account.update(properties(FEW, key="new"), properties(FEW, key="old"), made)
    assert account.limits("new") == FEW
    account.update(properties(FEW, key="old"), properties(FEW, key="new"), replaced)
    account.delete(replaced, key="new")
    assert (account.limits("old"), account.item("new")) == (MORE, {"limits": MORE})


def test_an_operators_word_that_comes_in_between_is_heeded(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    put, words = account.dynamodb.put_item, iter([MORE, ConsumerLimits(tokens_per_day=7).to_json()])

    class Interrupted:
        def put_item(self, **arguments: Any) -> None:
            for word in words:
                account.set(word)
                break
            put(**arguments)

    monkeypatch.setattr(boto3, "client", lambda _: Interrupted())
    account.create(FEW)
    last = ConsumerLimits(tokens_per_day=7).to_json()
    assert account.item() == {"limits": FEW, "template": FEW, "before": last}


def test_an_item_that_never_stands_still_is_a_failure(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    put, numbers = account.dynamodb.put_item, iter(range(1, 100))

    class Interrupted:
        def put_item(self, **arguments: Any) -> None:
            account.set(ConsumerLimits(tokens_per_day=next(numbers)).to_json())
            put(**arguments)

    monkeypatch.setattr(boto3, "client", lambda _: Interrupted())
    answer = account.send("Create", properties())
    assert (answer["Status"], "ConditionalCheckFailed" in answer["Reason"]) == ("FAILED", True)


def test_the_command_can_tell_what_the_template_says(account: Account) -> None:
    account.create(FEW)
    account.set(MORE)
    (item,) = account.dynamodb.query(**items.query(TABLE, items.USAGE + KEY))["Items"]
    assert items.text(item, index.TEMPLATE) == FEW


def test_a_table_that_is_gone_keeps_no_stack_from_going(account: Account) -> None:
    made = account.create()
    account.dynamodb.delete_table(TableName=TABLE)
    assert account.delete(made)["Status"] == "SUCCESS"


def test_a_creation_that_fails_is_told_and_can_be_undone(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    answer = account.send("Create", properties(table="missing"))
    assert answer["Status"] == "FAILED"
    assert "ResourceNotFoundException" in answer["Reason"]
    assert json.loads(capsys.readouterr().out)["level"] == "ERROR"
    assert account.delete(answer["PhysicalResourceId"], table="missing")["Status"] == "SUCCESS"


def test_an_update_that_fails_keeps_the_resource(account: Account) -> None:
    made = account.create()
    answer = account.send("Update", properties(table="missing"), OldResourceProperties=properties(), PhysicalResourceId=made)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", made)


def test_what_was_never_made_is_deleted_without_a_word(account: Account) -> None:
    account.create()
    # CloudFormation's own name for a resource whose creation never answered.
    assert account.delete("Limits")["Status"] == "SUCCESS"
    assert account.limits() == FEW


def test_an_event_that_makes_no_sense_is_answered(account: Account) -> None:
    for event in (account.send("Burn", properties()), account.send("Create", {})):
        assert event["Status"] == "FAILED"


def test_a_permission_that_is_not_known_everywhere_yet(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reluctant:
        def __init__(self) -> None:
            self.left = 2

        def put_item(self, **arguments: Any) -> None:
            self.left -= 1
            if self.left >= 0:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, "PutItem")
            account.dynamodb.put_item(**arguments)

    reluctant = Reluctant()
    monkeypatch.setattr(boto3, "client", lambda _: reluctant)
    monkeypatch.setattr(custom_resource, "PAUSE", 0.0)
    account.create()
    assert account.limits() == FEW
