"""The time by which function instances read what an operator writes: AWS's, not that of the operator's machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

TOLERANCE = 3.0
"""Seconds that a clock may be off without being put right: answers carry whole seconds, and take some time."""


class ServerClock:
    """Seconds since the epoch, as the service's answers tell them. AWS takes requests from clocks that are minutes off.

    Args:
        client: boto3 client, whose answers are listened to.
        own: this machine's clock. Default: `time.time`.
    """

    def __init__(self, client: Any, own: Callable[[], float] = time.time) -> None:
        self._own = own
        self._ahead = 0.0
        client.meta.events.register("after-call", self._listen)

    def __call__(self) -> float:
        """The time; this machine's until there has been an answer."""
        return self._own() + self._ahead

    def _listen(self, http_response: Any, **_: Any) -> None:
        headers: Mapping[str, str] = http_response.headers
        try:
            ahead = parsedate_to_datetime(headers.get("date", "")).timestamp() - self._own()
        except ValueError:
            return
        self._ahead = ahead if abs(ahead) > TOLERANCE else 0.0
