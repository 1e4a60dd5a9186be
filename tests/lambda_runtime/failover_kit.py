"""A gateway over several upstreams, each of which may fail in its own way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability, NoStates
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.samples import ANSWERS, CHAT, STREAMS
from tests.lambda_runtime.upstream_server import Answer, Received, UpstreamServer, answer_json, answer_stream, serve


class FakeStates(NoStates):
    """A `TargetStates` that says what a test says, and remembers what it is told."""

    def __init__(self, **states: Availability) -> None:
        self.states = {f"{name}/m": state for name, state in states.items()}
        self.since: dict[str, float] = {}
        self.weights: dict[tuple[str, str], float] = {}
        self.probes: dict[str, int] = {}
        """Probes that may be taken of each target; any number unless said."""
        self.taken: list[str] = []
        self.recorded: list[Attempted] = []
        self.settling: list[Callable[[], None]] = []
        """What happens while the table is read, one after the other."""
        self.calls: list[str] = []

    def refresh(self) -> None:
        self.calls.append("refresh")

    def settle(self) -> None:
        self.calls.append("settle")
        if self.settling:
            self.settling.pop(0)()

    def availability(self, target: str) -> Availability:
        return self.states.get(target, Availability.CLOSED)

    def open_since(self, target: str) -> float:
        return self.since.get(target, 0.0)

    def weight(self, route: str, target: str) -> float | None:  # type: ignore[override]
        return self.weights.get((route, target))

    def take_probe(self, target: str) -> bool:
        left = self.probes.get(target, 1)
        self.probes[target] = left - 1
        if left > 0:
            self.taken.append(target)
        return left > 0

    def record(self, attempts: Sequence[Attempted]) -> None:
        assert self.recorded == [], "recorded twice"
        self.recorded.extend(attempts)

    @property
    def outcomes(self) -> list[tuple[str, Outcome]]:
        return [(attempt.target.partition("/")[0], attempt.outcome) for attempt in self.recorded]


@dataclass
class Several:
    """Upstreams, all of which serve the model `m` in both formats, and a gateway whose `m` asks them in order."""

    servers: dict[str, UpstreamServer]
    kit: Kit
    states: FakeStates
    slept: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Who was asked, in order."""

    def __repr__(self) -> str:  # a short one: what the servers have received is long
        return f"<upstreams {', '.join(self.servers)}>"

    def answers(self, **answers: Answer | list[Answer]) -> None:
        """Say what each upstream answers; a list is used up one by one."""
        for name, answer in answers.items():
            queue = list(answer) if isinstance(answer, list) else None
            self.servers[name].answer = self._noting(name, answer if queue is None else _from(queue))  # type: ignore[arg-type]

    def _noting(self, name: str, answer: Answer) -> Answer:
        def noted(received: Received, connection: Any) -> None:
            self.asked.append(name)
            answer(received, connection)

        return noted

    def ask(
        self, operation: Operation = CHAT, *, stream: bool = True, writer: RecordingWriter | None = None, **more: Any
    ) -> RecordingWriter:
        headers = more.pop("headers", None)
        return self.kit.call(event(operation, {"model": "m", "stream": stream, **more}, headers=headers), writer)


def _from(queue: list[Answer]) -> Answer:
    def answer(received: Received, connection: Any) -> None:
        queue.pop(0)(received, connection)

    return answer


@contextmanager
def several(
    *targets: Any,
    states: FakeStates | None = None,
    timeouts: Timeouts | None = None,
    deadline_in: float = 900.0,
    names: str = "abc",
    urls: Mapping[str, str] | None = None,
    route: Any = None,
    **config: Any,
) -> Iterator[Several]:
    """Upstreams that answer well unless told otherwise, and a gateway over them.

    Args:
        targets: of the model `m`. Default: each upstream's `m`.
        states: of the targets. Default: all are closed.
        timeouts: of the gateway.
        deadline_in: seconds until Lambda's deadline.
        names: of the upstreams, a letter each.
        urls: of upstreams that are elsewhere than their server.
        route: of the model `m`, instead of its targets.
        config: further fields of the configuration.
    """
    states = states or FakeStates()
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serve()) for name in names}
        upstreams = [both_formats(name, (urls or {}).get(name, server.url)) for name, server in servers.items()]
        models = {"m": route or list(targets) or [f"{name}/m" for name in names]}
        kit = stack.enter_context(
            gateway_over(*upstreams, models=models, timeouts=timeouts, deadline_in=deadline_in, states=states, **config)
        )
        gateway = Several(servers, kit, states)
        kit.gateway._relay._failover._sleep = gateway.slept.append
        gateway.answers(**dict.fromkeys(names, well))
        yield gateway


def operation_of(received: Received) -> Operation:
    return next(o for o in (CHAT, Operation.MESSAGES, Operation.RESPONSES) if received.target.endswith(o.value))


def well(received: Received, connection: Any) -> None:
    """A whole answer, streamed if that was asked for."""
    operation = operation_of(received)
    if json.loads(received.body).get("stream"):
        answer_stream(STREAMS[operation])(received, connection)
    else:
        answer_json(ANSWERS[operation])(received, connection)


def whole(operation: Operation = CHAT, *, stream: bool = True) -> bytes:
    """What a client has of `well`."""
    return b"".join(STREAMS[operation]) if stream else json.dumps(ANSWERS[operation]).encode()
