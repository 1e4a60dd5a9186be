"""Reads and changes a gateway's alias, and the executions of its state machine, through boto3."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.errors import CommandError
from gateway_cli.release.model import Alarm, Alias, Plan, Run, Version

ALIAS = "live"
"""The alias that takes the requests."""

_CHANGED = "PreconditionFailedException"
_ENDED = frozenset({"ExecutionDoesNotExist", "ValidationException"})
_AT_ONCE = 100


class ChangedMeanwhileError(Exception):
    """Somebody else has changed the alias since it was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseStore:
    """A gateway's versions and releases.

    Args:
        functions: boto3 client of Lambda.
        sfn: boto3 client of Step Functions.
        cloudwatch: boto3 client of CloudWatch.
        function: name of the gateway's function.
        machine: ARN of the state machine that releases its versions; empty if there is none.
    """

    functions: Any
    sfn: Any
    cloudwatch: Any
    function: str
    machine: str

    def alias(self) -> Alias:
        """Read the alias.

        Raises:
            CommandError: if the function has none.
        """
        try:
            return _alias(self.functions.get_alias(FunctionName=self.function, Name=ALIAS))
        except self.functions.exceptions.ResourceNotFoundException:
            raise CommandError(
                f"the function {self.function} has no alias {ALIAS!r}; has its deployment come to an end?"
            ) from None

    def set_alias(self, *, version: str | None = None, weights: Mapping[str, float], revision: str | None = None) -> Alias:
        """Change the alias.

        Args:
            version: the stable one. Default: as it is.
            weights: share of another version, from 0 to 1; none if empty.
            revision: that has been read. Default: whatever it is now.

        Returns:
            What it is then.

        Raises:
            ChangedMeanwhileError: if the revision is another one.
        """
        given = {"FunctionVersion": version, "RevisionId": revision}
        try:
            return _alias(
                self.functions.update_alias(
                    FunctionName=self.function,
                    Name=ALIAS,
                    RoutingConfig={"AdditionalVersionWeights": dict(weights)},
                    **{name: value for name, value in given.items() if value},
                )
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _CHANGED:
                raise ChangedMeanwhileError from error
            raise

    def versions(self) -> list[Version]:
        """The published versions, the newest first."""
        pages = self.functions.get_paginator("list_versions_by_function").paginate(FunctionName=self.function)
        found = [
            Version(
                number=version["Version"],
                published=datetime.fromisoformat(version["LastModified"]).timestamp(),
                code=version["CodeSha256"],
                description=version.get("Description", ""),
            )
            for page in pages
            for version in page["Versions"]
            if version["Version"].isdigit()
        ]
        return sorted(found, key=lambda version: int(version.number), reverse=True)

    def plan(self, run: Run | None = None) -> Plan:
        """What the state machine does.

        Args:
            run: what it does in this execution, which goes on as it began. Default: in the next one.
        """
        if not self.machine:
            return Plan()
        if run:
            described = self.sfn.describe_state_machine_for_execution(executionArn=run.arn)
        else:
            described = self.sfn.describe_state_machine(stateMachineArn=self.machine)
        return Plan.of(described["definition"])

    def runs(self, most: int) -> list[Run]:
        """The last releases, the newest first."""
        return [self._run(listed) for listed in islice(self._executions(), most)]

    def running(self) -> list[Run]:
        """Those that are under way: one, unless two were started at the same time."""
        return [self._run(listed) for listed in self._executions(statusFilter="RUNNING")]

    def stop(self, run: Run, *, error: str, cause: str) -> None:
        """End a release. What has come to its end meanwhile is none any more."""
        try:
            self.sfn.stop_execution(executionArn=run.arn, error=error, cause=cause)
        except ClientError as refused:
            if refused.response["Error"]["Code"] not in _ENDED:
                raise

    def start(self, version: str, *, stable: str, replaced: str | None, now: float) -> str:
        """Start a release.

        Args:
            version: that is released.
            stable: what the alias has now.
            replaced: the version whose release has ended for it, if any.
            now: the time.

        Returns:
            The execution's name.
        """
        moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H%M%SZ}"
        # Deployments name them in the same way, and look for what began the release of a version by the first part.
        name = f"v{version}-by-hand-{moment}-{secrets.token_hex(2)}"
        told = {"version": version, "stable": stable} | ({"replaced": replaced} if replaced else {})
        self.sfn.start_execution(stateMachineArn=self.machine, name=name, input=json.dumps(told))
        return name

    def alarms(self, names: Sequence[str]) -> list[Alarm]:
        """Alarms by their names; those that are gone are missing."""
        found: dict[str, Alarm] = {}
        for start in range(0, len(names), _AT_ONCE):
            pages = self.cloudwatch.get_paginator("describe_alarms").paginate(
                AlarmNames=list(names[start : start + _AT_ONCE]), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            for page in pages:
                read = [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
                found.update((alarm["AlarmName"], Alarm.of(alarm)) for alarm in read)
        return [found[name] for name in names if name in found]

    def _executions(self, **filters: str) -> Iterator[Mapping[str, Any]]:
        if self.machine:
            for page in self.sfn.get_paginator("list_executions").paginate(stateMachineArn=self.machine, **filters):
                yield from page["executions"]

    def _run(self, listed: Mapping[str, Any]) -> Run:
        described = self.sfn.describe_execution(executionArn=listed["executionArn"])
        told, ended = _document(described.get("input")), described.get("stopDate")
        return Run(
            arn=listed["executionArn"],
            name=listed["name"],
            version=str(told.get("version", "")),
            stable=str(told.get("stable") or ""),
            replaced=str(told.get("replaced", "")),
            status=described["status"],
            started=described["startDate"].timestamp(),
            ended=ended.timestamp() if ended else None,
            error=str(described.get("error") or _document(described.get("output")).get("outcome", "")),
            cause=str(described.get("cause") or ""),
        )


def _alias(described: Mapping[str, Any]) -> Alias:
    weights = (described.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    canary, weight = next(iter(weights.items()), (None, 0.0))
    return Alias(
        stable=described["FunctionVersion"], canary=canary, weight=float(weight), revision=described.get("RevisionId", "")
    )


def _document(text: str | None) -> Mapping[str, Any]:
    """What an execution was told or says. Somebody may have started one with anything."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
