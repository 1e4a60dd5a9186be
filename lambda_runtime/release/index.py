"""Answers CloudFormation at a deployment: which version is stable, and, once all else stands, that a release begins.

One function, two custom resources:

- `Custom::AiGatewayStableVersion` reads the alias before anything changes. `InitialVersion` is what the template gives the
  alias: it never changes afterwards, so that CloudFormation never writes the alias again and neither an update nor its failure
  can undo what releases have done since. `StableVersion` is what the alias has now, for the alarms.
- `Custom::AiGatewayRelease` starts the state machine when there is a new version. Version numbers only ever grow, so that one
  that goes down is CloudFormation rolling back an update that failed: the alias gets back what it had before.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3

STABLE = "Custom::AiGatewayStableVersion"
RELEASE = "Custom::AiGatewayRelease"

Event = Mapping[str, Any]
Answer = tuple[str, dict[str, str]]
"""Physical id and attributes."""

_REPLACED = "Replaced"
_LONGEST_REASON = 1000
_ALREADY = "ExecutionAlreadyExists"


def handler(event: Event, _context: object) -> None:
    """Lambda's entry point: does what CloudFormation asks for, and tells it the outcome."""
    physical_id = str(event.get("PhysicalResourceId") or event["LogicalResourceId"])
    body: dict[str, Any] = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    try:
        physical_id, attributes = _ACTIONS[event["ResourceType"], event["RequestType"]](event)
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


def _read_stable(event: Event) -> Answer:
    """Of a gateway that is new to this kind of release: what its alias has, or the first version of all."""
    properties = event["ResourceProperties"]
    version = _alias_version(properties) or str(properties["Version"])
    return f"{properties['FunctionName']}:{version}", {"InitialVersion": version, "StableVersion": version}


def _read_stable_again(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    physical_id = str(event["PhysicalResourceId"])
    function, _, initial = physical_id.rpartition(":")
    if function != properties["FunctionName"]:
        # Another function: its alias is another one, too.
        return _read_stable(event)
    stable = _alias_version(properties) or str(properties["Version"])
    return physical_id, {"InitialVersion": initial, "StableVersion": stable}


def _start(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    _Releases(properties).start(str(properties["Version"]), event["RequestId"])
    return str(event["LogicalResourceId"]), {}


def _update(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    new, old = int(properties["Version"]), int(event["OldResourceProperties"]["Version"])
    if new > old:
        return _start(event)
    if new < old:
        _Releases(properties).undo(str(old), event["RequestId"])
    return str(event["PhysicalResourceId"]), {}


def _end(event: Event) -> Answer:
    """The gateway, or this kind of release, goes. The alias stays as it is: the template says what becomes of it."""
    _Releases(event["ResourceProperties"]).stop("the gateway is no longer released this way")
    return str(event["PhysicalResourceId"]), {}


def _nothing(event: Event) -> Answer:
    return str(event["PhysicalResourceId"]), {}


_ACTIONS: Mapping[tuple[str, str], Callable[[Event], Answer]] = {
    (STABLE, "Create"): _read_stable,
    (STABLE, "Update"): _read_stable_again,
    (STABLE, "Delete"): _nothing,
    (RELEASE, "Create"): _start,
    (RELEASE, "Update"): _update,
    (RELEASE, "Delete"): _end,
}


def _alias_version(properties: Mapping[str, Any]) -> str | None:
    functions = boto3.client("lambda")
    try:
        alias = functions.get_alias(FunctionName=properties["FunctionName"], Name=properties["Alias"])
    except functions.exceptions.ResourceNotFoundException:
        return None
    return str(alias["FunctionVersion"])


class _Releases:
    """The executions of a gateway's state machine.

    Args:
        properties: of the custom resource.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties
        self._machine = properties["StateMachine"]
        self._sfn = boto3.client("stepfunctions")

    def start(self, version: str, request_id: str) -> None:
        """Begin the release of a version, in place of any other that is under way.

        Args:
            version: its number.
            request_id: of CloudFormation. Repeated with the same one, nothing new begins.
        """
        name = _name(version, request_id)
        replaced = self.stop(f"version {version} was deployed", but=name)
        stable = _alias_version(self._properties)
        told = {"version": version, "stable": stable} | ({"replaced": replaced} if replaced else {})
        try:
            self._sfn.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(told))
        except self._sfn.exceptions.ClientError as error:
            # Lambda calls a function again that did not come to its end.
            if error.response["Error"]["Code"] != _ALREADY:
                raise

    def stop(self, why: str, but: str = "") -> str | None:
        """End what is under way.

        Args:
            why: for whoever looks at it afterwards.
            but: name of an execution that goes on. Default: none.

        Returns:
            The version whose release has ended, if there was one.
        """
        ended = None
        for execution in self._executions(statusFilter="RUNNING"):
            if execution["name"] != but:
                ended = ended or self._input(execution).get("version")
                self._sfn.stop_execution(executionArn=execution["executionArn"], error=_REPLACED, cause=why)
        return ended

    def undo(self, version: str, request_id: str) -> None:
        """Give the alias back what it had before the release of a version began: CloudFormation takes the deployment back.

        Args:
            version: whose deployment has failed.
            request_id: of CloudFormation.
        """
        before = next((self._input(one) for one in self._executions() if one["name"].startswith(_name(version, ""))), None)
        if before is None:
            # The update failed before the release began, so that there is nothing to undo.
            return
        self.stop(f"the deployment of version {version} has failed")
        functions = boto3.client("lambda")
        functions.update_alias(
            FunctionName=self._properties["FunctionName"],
            Name=self._properties["Alias"],
            FunctionVersion=before["stable"],
            RoutingConfig={"AdditionalVersionWeights": {}},
        )
        if before.get("replaced"):
            self.start(before["replaced"], request_id)

    def _executions(self, **filters: str) -> Iterator[Mapping[str, Any]]:
        """The newest first."""
        for page in self._sfn.get_paginator("list_executions").paginate(stateMachineArn=self._machine, **filters):
            yield from page["executions"]

    def _input(self, execution: Mapping[str, Any]) -> dict[str, Any]:
        described = self._sfn.describe_execution(executionArn=execution["executionArn"])
        told: dict[str, Any] = json.loads(described["input"])
        return told


def _name(version: str, request_id: str) -> str:
    """The name of an execution: readable, and the same for the same request."""
    return f"v{version}-{request_id}"
