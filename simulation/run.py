"""One run: requests come, instances serve them, and the gateway's own code knows, counts and gives way."""

from __future__ import annotations

from collections.abc import Callable, Generator
from math import inf
from random import Random
from typing import Any, NamedTuple

import simpy

from gateway_prices.quotas import SCALING_UNITS
from lambda_runtime.failures import FailedAttempt
from lambda_runtime.state import items
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.turns import Turn
from simulation.arrivals import Curve, arrivals
from simulation.asking import Fails, ask
from simulation.durations import Durations
from simulation.gateway_code import FunctionInstance, routes, simulated
from simulation.inputs import DAY, HOUR, MIDNIGHT, RANDOM_STATE
from simulation.lambda_pool import Account, Growth, Pool, Refused, Slot
from simulation.memory_table import MemoryTable
from simulation.metering import Meter
from simulation.scenario import Result, Scenario, Version
from simulation.usage_items import CONSUMER, fill_month

Process = Generator[simpy.Event, Any, None]


class Request(NamedTuple):
    """A request that has an instance.

    Args:
        arrived: when it came.
        warm: whether it waited for no new instance.
        version: whose figures it belongs to; None if it is not counted.
    """

    arrived: float
    warm: bool
    version: Version | None

    def answered(self, now: float, late: Result | None, *, streamed: bool) -> None:
        """The client has its first byte.

        Args:
            now: the time.
            late: where it is noted that an upstream had failed before; None if none had.
            streamed: whether it is a token.
        """
        if self.version is None:
            return
        if streamed:
            self.version.first_token.append(now - self.arrived)
        if streamed and self.warm:
            self.version.warm.append(now - self.arrived)
        if late is not None:
            late.late.append(now - self.arrived)


class Run:
    """A scenario while it is simulated.

    Args:
        scenario: what to simulate.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        inputs = self._inputs = scenario.inputs
        self._environment = simpy.Environment(scenario.start)
        self._table = MemoryTable(self._clock)
        self._routes = routes(inputs.models)
        self._account = Account(scenario.concurrency)
        self._function, self._authorizer = Growth(), Growth()
        lives, jitter = self._random("lives"), self._random("jitter")

        def instance() -> FunctionInstance:
            return FunctionInstance(self._table, self._clock, jitter)

        def pool(make: Callable[[], Any], growth: Growth, aged_until: float) -> Pool[Any]:
            return Pool(make, self._account, growth, inputs, lives, aged_until)

        self._versions: tuple[Pool[FunctionInstance], ...] = tuple(
            pool(instance, self._function, scenario.count_from) for _version in range(2)
        )
        self._authorizers: Pool[None] = pool(lambda: None, self._authorizer, scenario.count_from)
        self._durations = Durations(inputs, self._random("durations"))
        self._choices = self._random("choices")
        self._result = Result()

    def run(self) -> Result:
        """Simulate until every answer has ended."""
        scenario, result, environment = self._scenario, self._result, self._environment
        filled = fill_month(self._table, self._inputs, scenario.requests_a_day, self._clock())
        with simulated(lambda: environment.now) as lines:
            environment.process(self._arrive())
            environment.process(self._watch())
            if scenario.count_from > scenario.start:
                environment.run(scenario.count_from)
            self._begin()
            environment.run(scenario.end)
            result.executions = self._account.executions.stop(scenario.end)
            result.instances = self._function.instances.stop(scenario.end)
            result.started, result.authorizers_started = self._function.started, self._authorizer.started
            result.spare = self._function.spare
            result.meter, self._table.meter = self._table.meter, Meter()
            environment.run()
        result.lines = lines.times
        usage = self._table.items(items.USAGE)
        result.counted = sum(items.count(item, items.USAGE_COUNTS["requests"]) for item, _size in usage) - filled
        result.usage_size = max((size for _item, size in usage), default=0)
        return result

    def _begin(self) -> None:
        now = self._environment.now
        self._table.meter = Meter()
        for levels in (self._account.executions, self._function.instances):
            levels.restart(now)
        self._function.started = self._authorizer.started = 0
        self._function.spare = SCALING_UNITS

    def _watch(self) -> Process:
        """Have levels counted in the busiest hours."""
        environment, busiest = self._environment, self._inputs.busiest_hour * HOUR
        while environment.now < self._scenario.end:
            now = environment.now
            within = busiest <= now % DAY < busiest + HOUR
            for levels in (self._account.executions, self._function.instances):
                levels.count(now, counts=within)
            yield environment.timeout(busiest + HOUR - now % DAY if within else (busiest - now) % DAY)

    def _clock(self) -> float:
        return MIDNIGHT + self._environment.now

    @staticmethod
    def _random(purpose: str) -> Random:
        """Random numbers of their own for each purpose: what is drawn for one leaves the others as they are."""
        return Random(f"{RANDOM_STATE} {purpose}")

    def _arrive(self) -> Process:
        scenario, environment, random = self._scenario, self._environment, self._random("batches")
        curve = Curve(scenario.requests_a_day, self._inputs.hours, scenario.burst)
        for when, count in arrivals(curve, self._inputs, self._random("arrivals"), scenario.start, scenario.end):
            yield environment.timeout(when - environment.now)
            environment.process(self._request(0.0))
            for _other in range(count - 1):
                environment.process(self._request(random.random()))

    def _request(self, delay: float) -> Process:
        environment, inputs, result = self._environment, self._inputs, self._result
        if delay:
            yield environment.timeout(delay)
        arrived = environment.now
        counts = self._scenario.count_from <= arrived < self._scenario.end
        if counts:
            result.requests += 1
            result.arrivals.add(1, int(arrived), inf)
        authorizer = self._authorizers.take(arrived)
        if isinstance(authorizer, Refused):
            result.refused[authorizer] += counts
            return
        seconds = inputs.authorizer + (inputs.authorizer_start if authorizer.cold else 0.0)
        yield environment.timeout(seconds)
        self._authorizers.give_back(authorizer, environment.now)
        result.authorizer_billed += counts * (inputs.authorizer + (inputs.authorizer_init if authorizer.cold else 0.0))
        new = self._choices.random() < self._scenario.shift.share(environment.now)
        pool = self._versions[new]
        slot = pool.take(environment.now)
        if isinstance(slot, Refused):
            result.refused[slot] += counts
            return
        version = result.versions[new]
        version.served += counts
        version.cold += counts * slot.cold
        request = Request(arrived, warm=not (slot.cold or authorizer.cold), version=version if counts else None)
        yield from self._serve(slot, request)
        pool.give_back(slot, environment.now)

    def _serve(self, slot: Slot[FunctionInstance], request: Request) -> Process:
        """An invocation: until the instance may take the next one."""
        environment, inputs, body = self._environment, self._inputs, slot.body
        began = environment.now
        if slot.cold:
            body.states.refresh()
            yield environment.timeout(inputs.start)
        body.states.refresh()
        consumer = f"{CONSUMER}{self._pick(inputs.consumers, inputs.largest_consumer)}"
        asked = self._table.queries
        body.allowances.of(consumer)
        if self._table.queries > asked:
            yield environment.timeout(inputs.table_call)
        attempts: list[Attempted] = []
        turn = yield from self._answer(body, request, attempts)
        calls = sum(1 + (attempt.outcome is Outcome.FAILURE) for attempt in attempts)  # a failure is written, and read
        if turn is not None:
            self._result.told += 1
            body.usage.add(consumer, inputs.usage, inputs.cost)
            calls += 1
        yield environment.timeout(calls * inputs.table_call)
        if request.version is not None:
            self._result.failed += turn is None
            self._result.probes += any(attempt.probe for attempt in attempts)
            self._result.billed += environment.now - began - (inputs.lambda_start if slot.cold else 0.0)

    def _answer(
        self, body: FunctionInstance, request: Request, attempts: list[Attempted]
    ) -> Generator[simpy.Event, Any, Turn | None]:
        """From the first attempt to the answer's end, and what is told of it."""
        environment, inputs = self._environment, self._inputs
        routed = self._routes[self._pick(inputs.models, inputs.largest_model)]
        first, rest = self._durations.draw()
        fails = self._fails(counted=request.version is not None, streamed=rest > 0)
        turn: Turn | None = yield from ask(environment, routed, body.states, fails, attempts)
        told = len(attempts) if self._scenario.told_at_once else 0
        body.states.record(attempts[:told])
        if turn is not None:
            met = self._result if attempts else None
            yield environment.timeout(inputs.own_time + first)
            request.answered(environment.now, met, streamed=rest > 0)
            if rest:
                yield environment.timeout(rest)
            attempts.append(Attempted(turn.candidate.target, Outcome.SUCCESS, probe=turn.probe))
        body.states.record(attempts[told:])
        return turn

    def _fails(self, *, counted: bool, streamed: bool) -> Fails:
        fault, timeouts, environment, result = self._scenario.fault, self._scenario.timeouts, self._environment, self._result

        def fails(upstream: str) -> tuple[float, FailedAttempt] | None:
            failed = fault.of(upstream, environment.now, timeouts, streamed=streamed) if fault else None
            if failed is not None and counted:
                result.failed_attempts.append(environment.now)
            return failed

        return fails

    def _pick(self, count: int, largest: float) -> int:
        """The first of some with the largest share, or one of the others."""
        return 0 if count == 1 or self._choices.random() < largest else self._choices.randrange(1, count)
