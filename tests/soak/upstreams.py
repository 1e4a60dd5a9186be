"""The upstreams: answer well or with a fault, take only the newest key, and remember what they did to whom."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from tests.faults.upstream_faults import pause, type_of
from tests.lambda_runtime.upstream_server import SSE, Connection, Received, answer_bytes, answer_json
from tests.soak.faults import draw
from tests.soak.said import Wish
from tests.soak.server import Server
from tests.soak.wires import WIRES, answer_body

NAMES = ("alpha", "beta", "gamma", "delta")
_PACED = 2
"""Every second stream comes in more than one piece, with pauses."""

_PAUSE = 0.003

KEY_REFUSED = "key refused"
WELL = "well"
HARMLESS = "harmless: "


class Upstreams:
    """All of them, on one port, each below its name.

    Args:
        state: initial state of the run's random numbers.
        silence: whether a fault may last until a time-out is over.
    """

    def __init__(self, state: int, *, silence: bool) -> None:
        self._state = state
        self._silence = silence
        self.calm = False
        """Whether there are no more faults."""
        self.keys = {name: f"sk-{name}-key-number-1" for name in (*NAMES, "gone")}
        self.asked = 0
        self.fates: dict[int, list[str]] = {}
        """What became of the attempts of each request that not all went well for, in their order."""
        self.kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """How often each fault was met, by section."""
        self.server = Server(self._answer)

    def rotate(self, name: str) -> None:
        """Take another key from now on."""
        before = self.keys[name]
        self.keys[name] = before[: before.rindex("-") + 1] + str(int(before.rpartition("-")[2]) + 1)

    def _answer(self, received: Received, connection: Connection) -> None:
        self.asked += 1
        name = received.target.split("/", 2)[1]
        path = received.target.partition("?")[0]
        operation, kind = next(entry for end, entry in WIRES.items() if path.endswith(end))
        wish = Wish.of(received.body)
        given = (received.header("authorization") or "").removeprefix("Bearer ") or received.header("x-api-key")
        if given != self.keys[name]:
            self.fates.setdefault(wish.serial, []).append(KEY_REFUSED)
            error = {"type": "authentication_error", "message": "this API key is not valid"}
            answer_json({"error": error}, 401)(received, connection)
            return
        wire = kind(self._state, wish, name)
        streamed = b'"stream":true' in received.body or b'"stream": true' in received.body
        attempt = len(self.fates.get(wish.serial, ()))
        fault = None
        if not self.calm:
            fault = draw(self._state, wish, attempt, operation, wire, streamed=streamed, silence=self._silence)
        if fault is not None:
            self.kinds[fault.section][fault.scenario.name] += 1
            self.fates.setdefault(wish.serial, []).append((HARMLESS if fault.harmless else "") + fault.scenario.name)
            fault.scenario.fault(wire, streamed)(received, connection)
            return
        if wish.serial in self.fates:
            self.fates[wish.serial].append(WELL)
        if wish.hold:
            pause(wish.hold / 1000)
        if not streamed:
            answer_bytes(answer_body(wire), 200, [type_of(streamed=False)])(received, connection)
            return
        connection.start(200, [SSE])
        events = wire.apart()
        paced = range(len(events) // 3, len(events), max(1, len(events) // 3)) if wish.serial % _PACED == 0 else ()
        for number, event in enumerate(events):
            if number in paced:
                pause(_PAUSE)
            connection.chunk(event)
        connection.end()

    def report(self) -> dict[str, object]:
        """What there is to tell at the end, for JSON."""
        return {"asked": self.asked, "fates": json.loads(json.dumps(self.fates)), "kinds": self.kinds, "keys": self.keys}
