"""Answers CloudFormation at a deployment: writes what a consumer may use into the gateway's table, or deletes it.

The custom resource `Custom::AiGatewayConsumerLimits` is a consumer's limits: `Table`, `KeyId` and `Limits`, a text that this
function passes on as it is. Its physical id names table and key, so that limits of another key are another resource, whose
predecessor CloudFormation deletes when all else stands, and a rollback puts back.

Operators may write other limits by the command line, into the same item. They stay until the template says something new: an
update that changes none of the three writes nothing. `template` keeps what the template has said last.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

Event = Mapping[str, Any]

PARTITION = "usage#"
"""Of the table's items of a consumer; the key's id follows."""

LIMITS = "limits"
"""Sort key of the item, and its attribute with the limits that hold."""

TEMPLATE = "template"
"""The item's attribute with the limits that the template says."""

PAUSE = 4.0
"""Seconds until something is tried again that was not allowed."""

_TRIES = 6
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_GONE = "ResourceNotFoundException"
_LONGEST_REASON = 1000


def handler(event: Event, _context: object) -> None:
    """Lambda's entry point: does what CloudFormation asks for, and tells it the outcome."""
    physical_id = str(event.get("PhysicalResourceId") or event["LogicalResourceId"])
    body: dict[str, Any] = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        action = _ACTIONS[event["RequestType"]]
        if action is _write:
            # Also should it fail: what was written nevertheless is deleted by that name.
            physical_id = _name(event["ResourceProperties"])
        physical_id = _allowed(action, event)
        body["Status"] = "SUCCESS"
    except Exception as error:  # noqa: BLE001  CloudFormation would wait an hour for an answer that does not come
        print(json.dumps({"level": "ERROR", "message": f"{event['RequestType']} failed", "error": repr(error)}))
        body |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:_LONGEST_REASON]}
    body["PhysicalResourceId"] = physical_id
    request = urllib.request.Request(  # noqa: S310  CloudFormation's own address
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass


def _allowed(action: Callable[[Event], str], event: Event) -> str:
    """Do something for which the permission may just have been given, and not be known everywhere yet."""
    for _ in range(_TRIES - 1):
        try:
            return action(event)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
        time.sleep(PAUSE)
    return action(event)


def _write(event: Event) -> str:
    properties = event["ResourceProperties"]
    limits = {"S": properties["Limits"]}
    boto3.client("dynamodb").put_item(
        TableName=properties["Table"], Item={**_key(properties["KeyId"]), LIMITS: limits, TEMPLATE: limits}
    )
    return _name(properties)


def _update(event: Event) -> str:
    properties, old = event["ResourceProperties"], event["OldResourceProperties"]
    if _name(properties) == _name(old) and properties["Limits"] == old["Limits"]:
        # Something else of the resource: what an operator has written meanwhile goes on holding.
        return _name(properties)
    return _write(event)


def _delete(event: Event) -> str:
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
    return physical_id


_ACTIONS: Mapping[str, Callable[[Event], str]] = {"Create": _write, "Update": _update, "Delete": _delete}


def _key(key: str) -> dict[str, Any]:
    return {"pk": {"S": PARTITION + key}, "sk": {"S": LIMITS}}


def _name(properties: Mapping[str, Any]) -> str:
    """The physical id: the same for the same item."""
    return f"{properties['Table']}/{properties['KeyId']}"
