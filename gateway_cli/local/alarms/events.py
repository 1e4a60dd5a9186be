"""Alarm events, and the state machines that rules start on them: EventBridge's part, which the embedded AWS leaves out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway_cli.local.alarms.definitions import Definition

_STATE_MACHINE = ":states:"


def alarm_event(
    definition: Definition, *, state: Mapping[str, str], previous: str, region: str, now: datetime | None = None
) -> dict[str, Any]:
    """The event of an alarm whose state has changed.

    Args:
        definition: of the alarm.
        state: its new state: `value`, `reason`, `reasonData`.
        previous: its state before.
        region: of the alarm.
        now: when. Default: now.
    """
    moment = now or datetime.now(UTC)
    timestamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": definition.arn.split(":")[4],
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [definition.arn],
        "detail": {
            "alarmName": definition.name,
            "state": {**state, "timestamp": timestamp},
            "previousState": {"value": previous, "timestamp": timestamp},
            "configuration": {"description": definition.description},
        },
    }


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event pattern of exact values matches an event. Other kinds of patterns never do here."""
    for name, wanted in pattern.items():
        found = event.get(name)
        if isinstance(wanted, Mapping):
            if not isinstance(found, Mapping) or not matches(wanted, found):
                return False
        elif not any(value in wanted for value in (found if isinstance(found, list) else [found])):
            return False
    return True


def start_executions(client: Callable[[str], Any], event: Mapping[str, Any]) -> Iterator[str]:
    """Start what rules with a pattern that matches an event have for targets, as far as these are state machines.

    Args:
        client: makes a boto3 client of a service.
        event: the event.

    Returns:
        ARN of each state machine that was started.
    """
    events = client("events")
    for page in events.get_paginator("list_rules").paginate():
        for rule in page["Rules"]:
            if rule["State"] != "ENABLED" or "EventPattern" not in rule or not matches(json.loads(rule["EventPattern"]), event):
                continue
            for target in _targets(events, rule["Name"]):
                if _STATE_MACHINE in target["Arn"]:
                    client("stepfunctions").start_execution(
                        stateMachineArn=target["Arn"], input=target.get("Input") or json.dumps(event)
                    )
                    yield target["Arn"]


def _targets(events: Any, rule: str) -> Iterator[Mapping[str, Any]]:
    for page in events.get_paginator("list_targets_by_rule").paginate(Rule=rule):
        yield from page["Targets"]
