"""All that the function asks, in a process of its own: `python -m tests.soak.services STATE PACE SECONDS SILENCE`.

Prints one line of JSON with the services' URLs, then one for each line that it is given: `calm` ends all faults, `sums` tells
what the table holds, `report` everything. It ends with its input.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from tests.soak import secret_service, table_service
from tests.soak.draws import draws
from tests.soak.secret_service import SecretService
from tests.soak.table_service import TableService
from tests.soak.upstreams import NAMES, Upstreams

_LOOK = 0.02


class Services:
    """The services, and what happens to them. How often is a matter of requests, how long one of seconds.

    Args:
        state: initial state of the run's random numbers.
        pace: requests between two outages of the table, about. After two thirds as many a key is rotated, each third time
            Secrets Manager fails instead.
        seconds: the longest outage.
        silence: whether an upstream's fault may last until a time-out is over.
    """

    def __init__(self, state: int, pace: int, seconds: float, *, silence: bool) -> None:
        self._random = draws(state, "services")
        self._pace = pace
        self._seconds = seconds
        self.upstreams = Upstreams(state, silence=silence)
        self.table = TableService(state)
        self.secrets = SecretService(self.upstreams.keys)
        self.rotations = 0
        self.table_outages: list[tuple[str, float, float]] = []
        """Kind, begin and end, seconds since the epoch."""
        self.secret_outages: list[tuple[str, float, float]] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=chore, daemon=True) for chore in (self._fail_table, self._fail_secrets)]
        for thread in self._threads:
            thread.start()

    @property
    def urls(self) -> dict[str, str]:
        """Where they are."""
        return {
            "upstreams": self.upstreams.server.url,
            "table": self.table.server.url,
            "secrets": self.secrets.server.url,
        }

    def calm(self) -> None:
        """No more faults from now on."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.upstreams.calm = True

    def report(self) -> dict[str, Any]:
        """Everything."""
        return {
            **self.upstreams.report(),
            "rotations": self.rotations,
            "table": {"calls": self.table.calls, "met": self.table.met, "outages": self.table_outages},
            "misunderstood": self.table.misunderstood[:5],
            "secrets": {"calls": self.secrets.calls, "met": self.secrets.met, "outages": self.secret_outages},
        }

    def _after(self, requests: float) -> bool:
        """Wait for so many requests, more or less; false if it is over."""
        until = self.upstreams.asked + requests * self._random.uniform(0.5, 1.5)
        while self.upstreams.asked < until:
            if self._over.wait(_LOOK):
                return False
        return True

    def _lasting(self) -> float:
        """Let an outage last: when it ended."""
        self._over.wait(self._random.uniform(0.2, 1.0) * self._seconds)
        return time.time()

    def _fail_table(self) -> None:
        kinds = list(table_service.OUTAGES)
        self._random.shuffle(kinds)
        while self._after(self._pace):
            kind = kinds[len(self.table_outages) % len(kinds)]
            began = time.time()
            self.table.fail(kind)
            ended = self._lasting()
            self.table.mend()
            self.table_outages.append((kind, began, ended))

    def _fail_secrets(self) -> None:
        """Rotate a key, or fail: never both at once, for then no key is to be had that works."""
        kinds = secret_service.OUTAGES
        while self._after(self._pace * 2 / 3):
            if len(self.secret_outages) * 2 < self.rotations:
                began = time.time()
                self.secrets.outage = kinds[len(self.secret_outages) % len(kinds)]
                ended = self._lasting()
                kind, self.secrets.outage = self.secrets.outage, ""
                self.secret_outages.append((kind, began, ended))
            else:
                self.upstreams.rotate(NAMES[self.rotations % len(NAMES)])
                self.rotations += 1


def main() -> None:
    """Serve, and do as told."""
    state, pace, seconds, silence = sys.argv[1:]
    services = Services(int(state), int(pace), float(seconds), silence=silence == "silence")

    def say(document: Any) -> None:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()

    say(services.urls)
    for line in sys.stdin:
        match line.strip():
            case "calm":
                services.calm()
                say("calm")
            case "sums":
                say(services.table.sums())
            case "asked":
                say(services.upstreams.asked)
            case "report":
                say(services.report())


if __name__ == "__main__":
    main()
