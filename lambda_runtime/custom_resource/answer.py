"""Answers CloudFormation for the functions behind custom resources.

CloudFormation hands such a function an address and waits there for the outcome; a function that dies without a word holds a
deployment up until the resource's time-out.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

Event = Mapping[str, Any]
"""What CloudFormation asks for."""

PAUSE = 4.0
"""Seconds until something is tried again that was not allowed."""

_TRIES = 6
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_LONGEST_REASON = 1000


class Answer(NamedTuple):
    """What became of a resource.

    Args:
        physical_id: names what stands for the resource; another one than before has CloudFormation delete the former.
        attributes: what a template may read with `Fn::GetAtt`. Default: nothing.
    """

    physical_id: str
    attributes: Mapping[str, str] = {}


def answer(event: Event, action: Callable[[Event], Answer], left_behind: Callable[[Event], str] | None = None) -> None:
    """Do what CloudFormation asks for, and tell it the outcome, whatever that is.

    What AWS does not allow is tried again for 20 seconds: the permission may just have been given, and not be known everywhere.

    Args:
        event: what CloudFormation asks for.
        action: does it. What it raises is the resource's failure.
        left_behind: physical id of what a failure leaves behind, for CloudFormation to delete. Default: the one that the
            resource had before, or one that means nothing.

    Raises:
        OSError: if CloudFormation cannot be told. Lambda then calls the function again.
    """
    physical_id = str(event.get("PhysicalResourceId") or event["LogicalResourceId"])
    body: dict[str, Any] = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        if left_behind is not None:
            physical_id = left_behind(event)
        physical_id, attributes = _allowed(action, event)
        body |= {"Status": "SUCCESS", "Data": attributes}
    except Exception as error:  # noqa: BLE001  CloudFormation would wait an hour for an answer that does not come
        print(json.dumps({"level": "ERROR", "message": f"{event['RequestType']} failed", "error": repr(error)}))
        body |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:_LONGEST_REASON]}
    body["PhysicalResourceId"] = physical_id
    request = urllib.request.Request(  # noqa: S310  CloudFormation's own address
        event["ResponseURL"], data=json.dumps(body).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass


def _allowed(action: Callable[[Event], Answer], event: Event) -> Answer:
    for _ in range(_TRIES - 1):
        try:
            return action(event)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
        time.sleep(PAUSE)
    return action(event)
