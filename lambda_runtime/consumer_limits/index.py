"""Answers CloudFormation at a deployment: writes what a consumer may use into the gateway's table, or deletes it.

The custom resource `Custom::AiGatewayConsumerLimits` is a consumer's limits: `Table`, `KeyId` and `Limits`, a text that this
function passes on as it is. Its physical id names table and key, so that limits of another key are another resource, whose
predecessor CloudFormation deletes when all else stands, and a rollback puts back.

Operators may write other limits by the command line, into the same item. They stay until the template says something new: an
update that changes none of the three writes nothing. `template` keeps what the template has said last, `before` what an
operator had set when the template began to say something. A resource that goes, by a rollback or for good, leaves what an
operator has set since, or else puts that back.

The function may put and delete items and read none: what stands there it learns from a condition that does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError

from lambda_runtime.custom_resource.answer import Answer, Event, answer

PARTITION = "usage#"
"""Of the table's items of a consumer; the key's id follows."""

LIMITS = "limits"
"""Sort key of the item, and its attribute with the limits that hold."""

TEMPLATE = "template"
"""The item's attribute with the limits that the template says."""

BEFORE = "before"
"""The item's attribute with the limits that an operator had set before the template said any."""

Item = Mapping[str, Any]
"""An item in DynamoDB's own form; empty if there is none."""

_GONE = "ResourceNotFoundException"
_CONFLICT = "ConditionalCheckFailedException"
_TRIES = 4


def handler(event: Event, _context: object) -> None:
    """Lambda's entry point: does what CloudFormation asks for, and tells it the outcome."""
    answer(event, _act, _left_behind)


def _left_behind(event: Event) -> str:
    """What a failure leaves: of a new item its name, because it may have been written nevertheless."""
    return _name(event["ResourceProperties"]) if event["RequestType"] == "Create" else str(event["PhysicalResourceId"])


def _act(event: Event) -> Answer:
    return _ACTIONS[event["RequestType"]](event)


def _write(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    limits = {"S": properties["Limits"]}

    def said(item: Item) -> Item | None:
        if item.get(TEMPLATE) == limits:
            return None  # a repeated event, or a rollback to what was never taken away: an operator's word goes on holding
        before = item.get(BEFORE) if TEMPLATE in item else item.get(LIMITS)
        return {LIMITS: limits, TEMPLATE: limits, **({BEFORE: before} if before else {})}

    _change(properties["Table"], properties["KeyId"], said)
    return Answer(_name(properties))


def _update(event: Event) -> Answer:
    properties, old = event["ResourceProperties"], event["OldResourceProperties"]
    if _name(properties) == _name(old) and properties["Limits"] == old["Limits"]:
        # Something else of the resource: what an operator has written meanwhile goes on holding.
        return Answer(_name(properties))
    return _write(event)


def _delete(event: Event) -> Answer:
    physical_id = str(event["PhysicalResourceId"])
    # Not by the properties: where an update has replaced the key, this is about the former one.
    table, _, key = physical_id.rpartition("/")
    if table:
        try:
            _change(table, key, _unsaid)
        except ClientError as error:
            # Without the table there is nothing in it either, and the stack is to go.
            if error.response["Error"]["Code"] != _GONE:
                raise
    return Answer(physical_id)


def _unsaid(item: Item) -> Item | None:
    """What holds without the template."""
    if TEMPLATE not in item:
        return None
    held = item.get(BEFORE) if item.get(LIMITS) == item[TEMPLATE] else item.get(LIMITS)
    return {LIMITS: held} if held else {}


def _change(table: str, key: str, decide: Callable[[Item], Item | None]) -> None:
    """Change a key's item, on condition that nobody else does meanwhile.

    Args:
        table: its name.
        key: the key's id.
        decide: what its attributes become; None to leave it, nothing to delete it.

    Raises:
        ClientError: if DynamoDB refuses.
    """
    dynamodb = boto3.client("dynamodb")
    item: Item = {}
    for left in reversed(range(_TRIES)):
        becomes = decide(item)
        if item and becomes is None:
            return
        request = {"TableName": table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **_unchanged(item)}
        try:
            if becomes:
                dynamodb.put_item(Item={**_key(key), **becomes}, **request)
            else:
                dynamodb.delete_item(Key=_key(key), **request)
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONFLICT or not left:
                raise
            item = cast("dict[str, Any]", error.response).get("Item") or {}
        else:
            return


def _unchanged(item: Item) -> dict[str, Any]:
    """The condition that an item is as it was seen; that there is none, if none was."""
    if not item:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    names = (LIMITS, TEMPLATE, BEFORE)
    values = {f":{name}": item[name] for name in names if name in item}
    parts = (f"#{name} = :{name}" if name in item else f"attribute_not_exists(#{name})" for name in names)
    return {
        "ConditionExpression": " AND ".join(parts),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        **({"ExpressionAttributeValues": values} if values else {}),
    }


_ACTIONS: Mapping[str, Callable[[Event], Answer]] = {"Create": _write, "Update": _update, "Delete": _delete}


def _key(key: str) -> dict[str, Any]:
    return {"pk": {"S": PARTITION + key}, "sk": {"S": LIMITS}}


def _name(properties: Mapping[str, Any]) -> str:
    """The physical id: the same for the same item."""
    return f"{properties['Table']}/{properties['KeyId']}"
