"""Secrets Manager: has each upstream's newest key, and fails at times."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from tests.faults.upstream_faults import pause
from tests.lambda_runtime.upstream_server import Connection, Received, answer_json
from tests.soak.server import Server

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
OUTAGES = ("failing", "throttled", "reset", "slow")
_SLOW = 0.6


class SecretService:
    """The service.

    Args:
        keys: the newest key of each upstream, by its name.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self.outage = ""
        self.calls = 0
        self.met: Counter[str] = Counter()
        """How many requests met each kind of outage."""
        self.server = Server(self._answer)

    def _answer(self, received: Received, connection: Connection) -> None:
        self.calls += 1
        outage = self.outage
        if outage:
            self.met[outage] += 1
        match outage:
            case "failing":
                answer_json({"__type": "InternalServiceError", "message": "no"}, 500)(received, connection)
            case "throttled":
                answer_json({"__type": "ThrottlingException", "message": "no"}, 400)(received, connection)
            case "reset":
                connection.cut(reset=True)
            case _:
                if outage:
                    pause(_SLOW)
                name = json.loads(received.body)["SecretId"].removeprefix(ARN)
                answer_json({"SecretString": self._keys[name]})(received, connection)
