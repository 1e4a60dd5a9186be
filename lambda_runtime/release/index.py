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
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lambda_runtime.custom_resource.answer import Answer, Event, answer

STABLE = "Custom::AiGatewayStableVersion"
RELEASE = "Custom::AiGatewayRelease"

_REPLACED = "Replaced"
_ALREADY = "ExecutionAlreadyExists"
_NO_WEIGHTS: dict[str, Any] = {"AdditionalVersionWeights": {}}


def handler(event: Event, _context: object) -> None:
    """Lambda's entry point: does what CloudFormation asks for, and tells it the outcome."""
    answer(event, _act)


def _act(event: Event) -> Answer:
    return _ACTIONS[event["ResourceType"], event["RequestType"]](event)


def _read_stable(event: Event) -> Answer:
    """Of a gateway that is new to this kind of release: what its alias has, or the first version of all."""
    properties = event["ResourceProperties"]
    version = str(_alias(properties).get("FunctionVersion") or properties["Version"])
    return Answer(f"{properties['FunctionName']}:{version}", {"InitialVersion": version, "StableVersion": version})


def _read_stable_again(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    physical_id = str(event["PhysicalResourceId"])
    function, _, initial = physical_id.rpartition(":")
    if function != properties["FunctionName"]:
        # Another function: its alias is another one, too.
        return _read_stable(event)
    stable = str(_alias(properties).get("FunctionVersion") or properties["Version"])
    return Answer(physical_id, {"InitialVersion": initial, "StableVersion": stable})


def _start(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    _Releases(properties).start(str(properties["Version"]), event["RequestId"])
    return Answer(str(event["LogicalResourceId"]))


def _update(event: Event) -> Answer:
    properties = event["ResourceProperties"]
    new, old = int(properties["Version"]), int(event["OldResourceProperties"]["Version"])
    if new > old:
        return _start(event)
    if new < old:
        _Releases(properties).undo(str(old), event["RequestId"])
    return Answer(str(event["PhysicalResourceId"]))


def _end(event: Event) -> Answer:
    """The gateway, or this kind of release, goes: another kind takes its place, or the deployment that brought it has failed.

    Nobody would take a canary back any more that is under way, so it loses its requests. All else of the alias is what the
    template says.
    """
    _Releases(event["ResourceProperties"]).abandon("the gateway is no longer released this way")
    return Answer(str(event["PhysicalResourceId"]))


def _nothing(event: Event) -> Answer:
    return Answer(str(event["PhysicalResourceId"]))


_ACTIONS: Mapping[tuple[str, str], Callable[[Event], Answer]] = {
    (STABLE, "Create"): _read_stable,
    (STABLE, "Update"): _read_stable_again,
    (STABLE, "Delete"): _nothing,
    (RELEASE, "Create"): _start,
    (RELEASE, "Update"): _update,
    (RELEASE, "Delete"): _end,
}


def _alias(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The alias; empty if there is none yet."""
    functions = boto3.client("lambda")
    try:
        return dict(functions.get_alias(FunctionName=properties["FunctionName"], Name=properties["Alias"]))
    except functions.exceptions.ResourceNotFoundException:
        return {}


def _weights(alias: Mapping[str, Any]) -> Mapping[str, float]:
    return (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


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
        others = [one for one in self._executions(statusFilter="RUNNING") if one["name"] != name]
        told = {"version": version, "stable": _alias(self._properties)["FunctionVersion"]}
        if others:
            told["replaced"] = self._input(others[0])["version"]
        try:
            self._sfn.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(told))
        except ClientError as error:
            # Lambda calls a function again that did not come to its end.
            if error.response["Error"]["Code"] != _ALREADY:
                raise
        # Last: should the start fail, the others go on. Meanwhile they see for themselves that they have been replaced.
        self._stop(others, f"version {version} was deployed")

    def abandon(self, why: str) -> None:
        """End what is under way, and give nobody's requests to a version that nobody watches.

        Args:
            why: for whoever looks at it afterwards.
        """
        under_way = list(self._executions(statusFilter="RUNNING"))
        self._stop(under_way, why)
        if under_way and self._input(under_way[0])["version"] in _weights(_alias(self._properties)):
            self._set_alias(RoutingConfig=_NO_WEIGHTS)

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
        self._stop(self._executions(statusFilter="RUNNING"), f"the deployment of version {version} has failed")
        self._set_alias(FunctionVersion=before["stable"], RoutingConfig=_NO_WEIGHTS)
        if before.get("replaced"):
            self.start(before["replaced"], request_id)

    def _stop(self, executions: Iterable[Mapping[str, Any]], why: str) -> None:
        for execution in executions:
            self._sfn.stop_execution(executionArn=execution["executionArn"], error=_REPLACED, cause=why)

    def _set_alias(self, **changes: Any) -> None:
        boto3.client("lambda").update_alias(
            FunctionName=self._properties["FunctionName"], Name=self._properties["Alias"], **changes
        )

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
