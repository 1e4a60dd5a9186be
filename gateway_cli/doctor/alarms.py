"""The gateway's alarms: what rings, what does not know, and what tells nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway_cli.doctor.findings import Finding, error, note, ok, skipped, warning
from gateway_cli.doctor.patient import Patient

Alarm = Mapping[str, Any]

_RINGING, _UNKNOWING = "ALARM", "INSUFFICIENT_DATA"
_NEW = timedelta(hours=26)
"""How long an alarm may take to its first verdict without being worth a word. Rotations are looked at once a day."""


def check_alarms(patient: Patient) -> Iterator[Finding]:
    """No alarm rings, each knows, and each tells somebody."""
    released = _of_release(patient)
    alarms = _of_gateway(patient, released)
    if not alarms:
        kind = note if patient.is_local else warning
        yield kind("", "no alarm watches the gateway. Give it a topic (alarm_topic) and deploy", patient.deploy)
        return
    well = True
    for alarm in alarms:
        for finding in _of_state(patient, alarm):
            well = False
            yield finding
    for finding in _of_actions(patient, alarms, released):
        well = False
        yield finding
    if patient.is_local:
        yield skipped("", "whether alarms know and whom they tell: the embedded AWS keeps no metrics and tells nobody")
    elif well:
        yield ok("", f"{len(alarms)} alarms, none rings, each tells somebody")


def _of_gateway(patient: Patient, named: set[str]) -> list[Alarm]:
    """Alarms on the gateway's metrics and those of its function and API, and those that the release looks at."""
    cloudwatch = patient.client("cloudwatch")
    ours = _own_values(patient)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    metric: list[Alarm] = []
    composite: list[Alarm] = []
    for page in pages:
        metric += [
            alarm for alarm in page["MetricAlarms"] if alarm["AlarmName"] in named or not ours.isdisjoint(_values(alarm))
        ]
        composite += page.get("CompositeAlarms", [])
    names = {alarm["AlarmName"] for alarm in metric} | named
    return metric + [alarm for alarm in composite if alarm["AlarmName"] in named or _mentions(alarm, names)]


def _values(alarm: Alarm) -> set[str]:
    """The values of all dimensions that an alarm looks at."""
    metrics = [query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics") or []]
    return {dimension["Value"] for metric in [alarm, *metrics] for dimension in metric.get("Dimensions") or []}


def _mentions(composite: Alarm, names: set[str]) -> bool:
    rule = str(composite.get("AlarmRule") or "")
    return any(f'"{name}"' in rule or f":alarm:{name}" in rule for name in names)


def _of_release(patient: Patient) -> set[str]:
    """Names of the alarms that take requests back from a new version. Their event is what counts, not their actions."""
    if not patient.gateway.release:
        return set()
    described = patient.client("stepfunctions").describe_state_machine(stateMachineArn=patient.gateway.release)
    return set(_alarm_names(json.loads(described["definition"])))


def _own_values(patient: Patient) -> set[str]:
    """Values of dimensions by which metrics are the gateway's: of its functions, its releases, and its API by id and name."""
    api = patient.client("apigateway").get_rest_api(restApiId=patient.gateway.api)
    gateway = patient.gateway
    return {gateway.function, gateway.rotation, gateway.release, gateway.api, api.get("name", "")} - {""}


def _alarm_names(definition: Any) -> Iterator[str]:
    """Every alarm that a state machine's definition names."""
    if isinstance(definition, dict):
        for name, value in definition.items():
            if name == "AlarmNames" and isinstance(value, list):
                yield from (alarm for alarm in value if isinstance(alarm, str))
            else:
                yield from _alarm_names(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from _alarm_names(value)


def _of_state(patient: Patient, alarm: Alarm) -> Iterator[Finding]:
    name, state = alarm["AlarmName"], alarm.get("StateValue")
    history = patient.aws("cloudwatch", "describe-alarm-history", "--alarm-name", name, "--max-items", "5")
    if state == _RINGING:
        what = alarm.get("AlarmDescription") or "it rings"
        reason = " ".join(str(alarm.get("StateReason") or "").split())
        yield error(name, f"{what}{_since(alarm)}" + (f": {reason}" if reason else ""), history)
    elif state == _UNKNOWING and not patient.is_local:
        changed = alarm.get("StateUpdatedTimestamp")
        text = f"it does not know{_since(alarm)}: its metric has no data"
        fresh = changed is None or datetime.now(UTC) - changed < _NEW
        yield note(name, text, history) if fresh else warning(name, text, history)


def _since(alarm: Alarm) -> str:
    changed = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return "" if changed is None else f", since {changed.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _of_actions(patient: Patient, alarms: Sequence[Alarm], released: set[str]) -> Iterator[Finding]:
    off = [alarm["AlarmName"] for alarm in alarms if alarm.get("ActionsEnabled") is False]
    if off:
        mend = patient.aws("cloudwatch", "enable-alarm-actions", "--alarm-names", *off)
        yield warning("", f"actions are switched off: {', '.join(off)}", mend)
    if patient.is_local:
        return
    silent = [alarm["AlarmName"] for alarm in alarms if not alarm.get("AlarmActions") and alarm["AlarmName"] not in released]
    if silent:
        text = f"they tell nobody: {', '.join(silent)}. Give the gateway a topic (alarm_topic) and deploy"
        yield warning("", text, patient.deploy)
