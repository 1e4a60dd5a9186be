"""The table as a service that fails at times, and knows what it has written for whom, whatever it has answered."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, defaultdict
from typing import Any

from lambda_runtime.state.items import USAGE
from tests.faults.upstream_faults import pause
from tests.lambda_runtime.upstream_server import Connection, Received, answer_bytes, answer_json
from tests.soak.draws import draws
from tests.soak.server import Server
from tests.soak.table import ConditionError, Table

NAME = "soak-state"
OUTAGES = ("throttled", "failing", "reset", "silent", "slow", "refused")
"""Throttled: 400, nothing done. Failing: 500, done or not. Reset: connections are, before or after it is done. Silent: no
answer comes, done or not. Slow: it takes a while, but comes. Refused: nobody listens."""

FIGURES = ("n", "i", "o", "c", "w", "r", "e")
"""A month's sums, as the table calls them: requests, input, output, cached, written to a cache, reasoning, estimated."""

WRITTEN, REFUSED, DOUBT_WRITTEN, DOUBT_UNWRITTEN = "written", "refused", "in doubt, written", "in doubt, not written"
"""What became of an addition to a consumer's usage. In doubt it is to whoever asked for it."""

_PREFIX = "com.amazonaws.dynamodb.v20120810#"
_WORKER = re.compile(r"Credential=(\d+)/")


class TableService:
    """The service.

    Args:
        state: initial state of the run's random numbers.
    """

    def __init__(self, state: int) -> None:
        self._random = draws(state, "table")
        self._table = Table()
        self._lock = threading.Lock()
        self._outage = ""
        self.calls = 0
        self.met: Counter[str] = Counter()
        """How many requests met each kind of outage."""
        self.misunderstood: list[str] = []
        self._fates: defaultdict[int, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        """Sums of usage by worker, fate, and `consumer figure`."""
        self.server = Server(self._answer)

    def fail(self, kind: str) -> None:
        """Begin an outage."""
        self._outage = kind
        if kind == "refused":
            self.server.refuse()

    def mend(self) -> None:
        """End it."""
        was, self._outage = self._outage, ""
        if was == "refused":
            self.server.accept()

    def sums(self) -> dict[str, Any]:
        """What the table holds of each consumer's usage, all months together, and what became of the additions."""
        with self._lock:
            held: defaultdict[str, Counter[str]] = defaultdict(Counter)
            for pk, months in self._table.partitions(USAGE).items():
                for item in months.values():
                    numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value}
                    held[pk.removeprefix(USAGE)].update({n: v for n, v in numbers.items() if n in FIGURES})
            fates = {pid: {fate: dict(sums) for fate, sums in by.items()} for pid, by in self._fates.items()}
        return {"held": held, "fates": fates}

    def _answer(self, received: Received, connection: Connection) -> None:
        self.calls += 1
        outage = self._outage
        if outage:
            self.met[outage] += 1
        doubtful = outage in {"failing", "reset", "silent"}
        done = not doubtful or self._random.random() < 0.5
        operation = (received.header("x-amz-target") or "").rpartition(".")[2]
        request = json.loads(received.body)
        if outage == "slow":
            pause(self._random.uniform(0.02, 0.25))
        document, status = ({}, 200) if outage == "throttled" or not done else self._done(operation, request)
        if status == 200:
            fate = REFUSED if outage == "throttled" else WRITTEN
            if doubtful:
                fate = DOUBT_WRITTEN if done else DOUBT_UNWRITTEN
            self._note(operation, request, received, fate)
        match outage:
            case "throttled":
                kind = "ProvisionedThroughputExceededException"
                answer_json({"__type": _PREFIX + kind, "message": "no"}, 400)(received, connection)
            case "failing":
                answer_json({"__type": _PREFIX + "InternalServerError", "message": "no"}, 500)(received, connection)
            case "reset":
                connection.cut(reset=True)
            case "silent":
                connection.wait_until_peer_closes()
            case _:
                body = json.dumps(document, separators=(",", ":")).encode()
                answer_bytes(body, status, [("content-type", "application/x-amz-json-1.0")])(received, connection)

    def _done(self, operation: str, request: dict[str, Any]) -> tuple[dict[str, Any], int]:
        try:
            with self._lock:
                if operation == "UpdateItem":
                    self._table.update(request)
                    return {}, 200
                if operation == "Query":
                    items = self._table.query(request)
                    return {"Items": items, "Count": len(items)}, 200
            self.misunderstood.append(f"operation {operation!r}")
            return {"__type": _PREFIX + "UnknownOperationException", "message": operation}, 400
        except ConditionError as error:
            return {"__type": _PREFIX + "ConditionalCheckFailedException", "message": "no", "Item": error.item}, 400
        except (KeyError, ValueError) as error:
            self.misunderstood.append(f"{type(error).__name__}: {error}")
            return {"__type": _PREFIX + "ValidationException", "message": str(error)}, 400

    def _note(self, operation: str, request: dict[str, Any], received: Received, fate: str) -> None:
        if operation != "UpdateItem" or not request["Key"]["pk"]["S"].startswith(USAGE):
            return
        consumer = request["Key"]["pk"]["S"].removeprefix(USAGE)
        found = _WORKER.search(received.header("authorization") or "")
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        added = {name: int(values[f":{name}"]["N"]) for name in names.values() if name in FIGURES}
        with self._lock:
            self._fates[int(found[1]) if found else 0][fate].update({f"{consumer} {n}": v for n, v in added.items()})
