"""Watches the alarms of the embedded AWS while the gateway runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.console import Output
from gateway_cli.local.alarms.definitions import Definition, UnknownAlarmError, read
from gateway_cli.local.alarms.evaluation import ALARM, Verdict, judge, last_window
from gateway_cli.local.alarms.events import alarm_event, start_executions
from gateway_cli.local.alarms.metric_math import MetricMathError
from gateway_cli.local.alarms.metric_store import MetricStore

SECONDS = 1.0
"""Between two looks at the alarms."""

SECONDS_WITHOUT = 5.0
"""The same where there is none, so that one that is deployed later is noticed."""


@dataclass(slots=True)
class _Watched:
    """What is known of an alarm.

    Args:
        alarm: what the embedded AWS says of it.
        definition: the same, understood; None if it is not evaluated here.
        state: that it had when it was last looked at.
        end: of the last window that was evaluated.
        failure: why its last event could not be given; empty if it could.
    """

    alarm: Mapping[str, Any]
    definition: Definition | None
    state: str
    end: int = 0
    failure: str = ""


@dataclass(kw_only=True, slots=True)
class AlarmWatch:
    """Evaluates the alarms of some Regions, keeps their state in the embedded AWS, and carries out what their events start.

    An alarm whose state somebody else has set has its event, too.

    Args:
        client: makes a boto3 client of a service and a Region.
        regions: where alarms may be.
        store: has the metrics.
        output: is told when an alarm rings, and when it does no longer.
        clock: seconds since the epoch. Default: the machine's.
    """

    client: Callable[[str, str], Any]
    regions: Collection[str]
    store: MetricStore
    output: Output
    clock: Callable[[], float] = time.time
    _known: dict[str, _Watched] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def run(self) -> None:
        """Watch until it is cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (BotoCoreError, ClientError) as error:
                self.output.detail(f"the alarms cannot be read: {error}")
            await asyncio.sleep(SECONDS if self._known else SECONDS_WITHOUT)

    def look(self) -> None:
        """Look at every alarm once."""
        found: dict[str, tuple[str, _Watched]] = {}
        for region in self.regions:
            for page in (
                self._client("cloudwatch", region).get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
            ):
                found |= {alarm["AlarmArn"]: (region, self._watched(alarm)) for alarm in page["MetricAlarms"]}
        self._known = {arn: watched for arn, (_, watched) in found.items()}
        definitions = [watched.definition for watched in self._known.values() if watched.definition]
        self.store.want([metric for definition in definitions for metric in definition.metrics])
        for region, watched in found.values():
            if watched.definition:
                self._follow(region, watched, watched.definition)

    def _watched(self, alarm: Mapping[str, Any]) -> _Watched:
        """What is known of an alarm, read again where its definition has changed."""
        known = self._known.get(alarm["AlarmArn"])
        if known and _configured(known.alarm) == _configured(alarm):
            known.alarm = alarm
            return known
        state = known.state if known else alarm["StateValue"]
        try:
            return _Watched(alarm, read(alarm), state)
        except UnknownAlarmError as error:
            self.output.notice(f"the alarm {alarm['AlarmName']} is not evaluated: {error}")
            return _Watched(alarm, None, state)

    def _follow(self, region: str, watched: _Watched, definition: Definition) -> None:
        state = watched.alarm["StateValue"]
        if state != watched.state:
            reason, data = watched.alarm.get("StateReason", ""), watched.alarm.get("StateReasonData", "{}")
            self._changed(region, watched, definition, Verdict(state, reason, data))
        end = last_window(definition.period, self.clock())
        if end <= watched.end:
            return
        watched.end = end
        try:
            verdict = judge(definition, self.store, end, state)
        except (MetricMathError, KeyError) as error:
            watched.definition = None
            self.output.notice(f"the alarm {definition.name} is not evaluated: {error}")
            return
        if verdict.state != state:
            self._client("cloudwatch", region).set_alarm_state(
                AlarmName=definition.name, StateValue=verdict.state, StateReason=verdict.reason, StateReasonData=verdict.data
            )
            self._changed(region, watched, definition, verdict)

    def _changed(self, region: str, watched: _Watched, definition: Definition, verdict: Verdict) -> None:
        previous = watched.state
        state = {"value": verdict.state, "reason": verdict.reason, "reasonData": verdict.data}
        event = alarm_event(definition, state=state, previous=previous, region=region)
        try:
            started = list(start_executions(lambda service: self._client(service, region), event))
        except (BotoCoreError, ClientError) as error:
            # The state stays unnoticed, so that the next look gives the event once more. What is started twice does no harm.
            if str(error) != watched.failure:
                watched.failure = str(error)
                self.output.notice(f"the alarm {definition.name} is {verdict.state}, and cannot say so: {error}")
            return
        watched.state, watched.failure = verdict.state, ""
        if verdict.state == ALARM:
            self.output.notice(f"the alarm {definition.name} rings: {verdict.reason}")
        else:
            say = self.output.notice if previous == ALARM else self.output.detail
            say(f"the alarm {definition.name} is {verdict.state}: {verdict.reason}")
        for arn in started:
            self.output.notice(f"the alarm has started the state machine {arn.rpartition(':')[2]}")

    def _client(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = self.client(service, region)
        return self._clients[service, region]


def _configured(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in alarm.items() if not name.startswith("State") and "Timestamp" not in name}
