"""Change sets of the emulator: made, carried out, and waited for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from botocore.exceptions import WaiterError

DEPLOY_SECONDS = 120.0
PACE = {"Delay": 0.05, "MaxAttempts": int(DEPLOY_SECONDS / 0.05)}
"""How often and how long is waited."""

ChangeKind = Literal["CREATE", "UPDATE"]

_NO_CHANGES = "didn't contain changes"


class NoChangesError(Exception):
    """An update that would change nothing."""


class FailedChangeError(Exception):
    """The emulator could not make some resources.

    Args:
        reasons: why, by logical id; empty if it does not say.
        cause: what the waiter says.
    """

    def __init__(self, reasons: Mapping[str, str], cause: WaiterError) -> None:
        super().__init__(str(cause))
        self.reasons = reasons


def change(cloudformation: Any, name: str, template_url: str, kind: ChangeKind) -> None:
    """Have the emulator carry out a template, and wait until it has.

    Args:
        cloudformation: boto3 client of the emulator.
        name: of the stack.
        template_url: where the template is.
        kind: whether the stack is new.

    Raises:
        ClientError: if it refuses the template.
        FailedChangeError: if a resource fails. A stack that is updated is as it was before, then.
        NoChangesError: if the stack is that of the template already.
    """
    change_set = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=f"local-gateway-{uuid.uuid4()}",
        ChangeSetType=kind,
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )["Id"]
    before = {event["EventId"] for event in _events(cloudformation, name)} if kind == "UPDATE" else set()
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            ChangeSetName=change_set, StackName=name, WaiterConfig=PACE
        )
        cloudformation.execute_change_set(ChangeSetName=change_set, StackName=name)
        cloudformation.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=name, WaiterConfig=PACE)
    except WaiterError as error:
        if _NO_CHANGES in error.last_response.get("StatusReason", ""):
            raise NoChangesError from error
        reasons = {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason given")
            for event in _events(cloudformation, name)
            if event["ResourceStatus"].endswith("FAILED")
            and event["LogicalResourceId"] != name
            and event["EventId"] not in before
        }
        raise FailedChangeError(reasons, error) from error


def _events(cloudformation: Any, name: str) -> Iterator[Mapping[str, Any]]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        yield from page["StackEvents"]
