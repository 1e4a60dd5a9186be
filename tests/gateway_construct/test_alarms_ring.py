"""When the alarms of operators ring: evaluated as the local gateway evaluates them, with what the runtime writes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import pytest
from aws_cdk import Stack

from gateway_cli.local.alarms.definitions import Definition, pack, read
from gateway_cli.local.alarms.evaluation import ALARM, OK, judge
from gateway_cli.local.alarms.metric_store import MetricStore
from gateway_construct import AiGateway
from lambda_runtime.metric_lines import count_crash, write_circuit
from tests.gateway_construct.monitoring_kit import ROLLBACK, RULES, Json, alarms, monitoring

pytestmark = pytest.mark.template

START = 1_790_000_400
"""The start of a period of fifteen minutes."""

MINUTE = 60


class Watched:
    """An alarm, and a clock."""

    def __init__(self, alarm: Json, function: str) -> None:
        self.now = float(START)
        self.store = MetricStore(clock=lambda: self.now)
        self.definition = definition_of(alarm)
        self.store.want(self.definition.metrics)
        self._function = function

    def put(self, name: str, value: float, *, times: int = 1, **dimensions: str) -> None:
        dimensions = dimensions or {"Gateway": self._function}
        for _ in range(times):
            self.store.put("AiGateway", name, dimensions, value, resolution=MINUTE)

    def written(self, write: Callable[[], None]) -> None:
        """What a line of the runtime says."""
        out = io.StringIO()
        with redirect_stdout(out):
            write()
        line = json.loads(out.getvalue())
        self.store.take({**line, "_aws": {**line["_aws"], "Timestamp": int(self.now * 1000)}})

    def state(self) -> str:
        """After the minute that it is."""
        return judge(self.definition, self.store, int(self.now // MINUTE + 1) * MINUTE, OK).state


def definition_of(alarm: Json) -> Definition:
    properties = json.loads(json.dumps(alarm))
    pack({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}})
    return read(resolved({"AlarmName": "alarm", "AlarmArn": "arn", **properties}))


def resolved(value: Any) -> Any:
    """With the names of resources in place of what CloudFormation puts in."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return value["Ref"]
    if "Fn::Join" in value:
        return "".join(resolved(value["Fn::Join"][1]))
    return {name: resolved(item) for name, item in value.items()}


@pytest.fixture
def watch(stack: Stack, gateway: AiGateway, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Watched]:
    monitoring(stack, gateway, rollback_arn=ROLLBACK, rollback_rules=RULES)
    found = alarms(stack)
    function = stack.resolve(gateway.function.function_name)["Ref"]
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)

    def make(words: str) -> Watched:
        (alarm,) = (alarm for description, alarm in found.items() if words in description)
        return Watched(alarm, function)

    return make


@pytest.mark.parametrize(
    ("requests", "errors", "state"),
    [(0, 0, OK), (19, 19, OK), (20, 0, OK), (20, 1, ALARM), (100, 4, OK), (100, 5, ALARM), (10_000, 10_000, ALARM)],
)
def test_errors_ring_by_their_share(watch: Callable[[str], Watched], requests: int, errors: int, state: str) -> None:
    alarm = watch("requests or more ended with a status")
    alarm.put("Requests", 1, times=requests)
    alarm.put("Errors", 1, times=errors)
    alarm.put("Errors", 0, times=requests - errors)
    assert alarm.state() == state
    alarm.now += 8 * MINUTE
    alarm.put("Requests", 1, times=30)
    alarm.put("Errors", 0, times=30)
    assert alarm.state() == OK


def test_a_circuit_rings_when_it_has_been_open_for_ten_minutes(watch: Callable[[str], Watched]) -> None:
    alarm = watch("kept requests away from openai")
    states = []
    for _ in range(12):
        alarm.written(lambda: write_circuit("openai", is_open=True))
        states.append(alarm.state())
        alarm.now += MINUTE
    assert states == [OK] * 9 + [ALARM] * 3
    alarm.written(lambda: write_circuit("openai", is_open=False))
    closed = []
    for _ in range(7):
        closed.append(alarm.state())
        alarm.now += MINUTE
    assert closed[-1] == OK


def test_a_circuit_rings_though_there_are_few_requests(watch: Callable[[str], Watched]) -> None:
    alarm = watch("kept requests away from openai")
    for minute in range(15):
        if minute % 4 == 0:
            alarm.written(lambda: write_circuit("openai", is_open=True))
        state = alarm.state()
        alarm.now += MINUTE
    assert state == ALARM


def test_a_circuit_that_opens_and_closes_soon_does_not_ring(watch: Callable[[str], Watched]) -> None:
    alarm = watch("kept requests away from openai")
    for is_open in (True, False):
        alarm.written(partial(write_circuit, "openai", is_open=is_open))
    for _ in range(15):
        assert alarm.state() == OK
        alarm.now += MINUTE


@pytest.mark.parametrize(("crashes", "state"), [(2, OK), (3, ALARM)])
def test_crashes_ring_from_three_on(watch: Callable[[str], Watched], crashes: int, state: str) -> None:
    alarm = watch("function crashed 3 times")
    for _ in range(crashes):
        alarm.written(lambda: count_crash("the function cannot start"))
    assert alarm.state() == state


@pytest.mark.parametrize(("failures", "state"), [(2, OK), (3, ALARM)])
def test_what_only_lambda_notices_is_a_crash(watch: Callable[[str], Watched], failures: int, state: str) -> None:
    alarm = watch("function crashed 3 times")
    for failed in [1] * failures + [0] * 50:
        alarm.store.put("AWS/Lambda", "Errors", {"FunctionName": alarm._function}, failed, resolution=MINUTE)
    alarm.written(lambda: count_crash("the handler raised"))
    assert alarm.state() == state


@pytest.mark.parametrize(
    ("namespace", "name", "dimension", "value"),
    [
        ("AWS/States", "ExecutionsFailed", "StateMachineArn", ROLLBACK),
        ("AWS/States", "ExecutionsTimedOut", "StateMachineArn", ROLLBACK),
        ("AWS/Events", "FailedInvocations", "RuleName", RULES[1]),
    ],
)
def test_a_rollback_that_fails_rings_though_nothing_else_is_written(
    watch: Callable[[str], Watched], namespace: str, name: str, dimension: str, value: str
) -> None:
    alarm = watch("the version may have them still")
    assert alarm.state() == OK
    alarm.store.put(namespace, name, {dimension: value}, 1, resolution=MINUTE)
    assert alarm.state() == ALARM
