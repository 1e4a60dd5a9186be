"""Answers CloudFormation at a deployment: writes what a consumer may use into the gateway's table, or deletes it.

The custom resource `Custom::AiGatewayConsumerLimits` is a consumer's limits: `Table`, `KeyId` and `Limits`, a text that this
function passes on as it is. Its physical id names table and key, so that limits of another key are another resource, whose
predecessor CloudFormation deletes when all else stands, and a rollback puts back.

Operators may write other limits by the command line, into the same item. They stay until the template says something new: an
update that changes none of the three writes nothing. `template` keeps what the template has said last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambda_runtime.custom_resource.answer import Answer, Event, answer

PARTITION = "usage#"
"""Of the table's items of a consumer; the key's id follows."""

LIMITS = "limits"
"""Sort key of the item, and its attribute with the limits that hold."""

TEMPLATE = "template"
"""The item's attribute with the limits that the template says."""

_GONE = "ResourceNotFoundException"


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
    boto3.client("dynamodb").put_item(
        TableName=properties["Table"], Item={**_key(properties["KeyId"]), LIMITS: limits, TEMPLATE: limits}
    )
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
            boto3.client("dynamodb").delete_item(TableName=table, Key=_key(key))
        except ClientError as error:
            # Without the table there is nothing in it either, and the stack is to go.
            if error.response["Error"]["Code"] != _GONE:
                raise
    return Answer(physical_id)


_ACTIONS: Mapping[str, Callable[[Event], Answer]] = {"Create": _write, "Update": _update, "Delete": _delete}


def _key(key: str) -> dict[str, Any]:
    return {"pk": {"S": PARTITION + key}, "sk": {"S": LIMITS}}


def _name(properties: Mapping[str, Any]) -> str:
    """The physical id: the same for the same item."""
    return f"{properties['Table']}/{properties['KeyId']}"
