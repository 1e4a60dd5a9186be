"""Clients that ask at a steady rate, whatever becomes of their requests."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import urlsplit

from tests.local_gateway import LocalGateway
from tests.release_demo.plan import MODELS

_CLIENTS = 8


class Load:
    """Requests, one after the other at their time, divided among a few clients.

    Args:
        gateway: that is asked.
        rate: requests a second.
    """

    def __init__(self, gateway: LocalGateway, rate: float) -> None:
        self._url = urlsplit(gateway.openai_base_url)
        self._headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
        self._pause = 1 / rate
        self._lock = threading.Lock()
        self._models = cycle(MODELS)
        self._next = time.monotonic()
        self._over = threading.Event()
        self.statuses: Counter[int] = Counter()
        """How many answers had each status; 0 for a connection that broke."""

    @property
    def sent(self) -> int:
        """How many requests have been answered."""
        with self._lock:
            return self.statuses.total()

    def ask(self) -> None:
        """Ask until it is over."""
        connection = http.client.HTTPConnection(str(self._url.hostname), self._url.port, timeout=30)
        while True:
            with self._lock:
                moment, self._next = self._next, max(self._next + self._pause, time.monotonic() - 1)
                model = next(self._models)
            if self._over.wait(max(0.0, moment - time.monotonic())):
                connection.close()
                return
            body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
            status = 0
            try:
                connection.request("POST", f"{self._url.path}/chat/completions", body, self._headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                connection.close()
            with self._lock:
                self.statuses[status] += 1

    def end(self) -> None:
        """Ask no more."""
        self._over.set()


@contextmanager
def asking(gateway: LocalGateway, rate: float) -> Iterator[Load]:
    """Ask in the background until the block ends."""
    load = Load(gateway, rate)
    clients = [threading.Thread(target=load.ask) for _ in range(_CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        load.end()
        for client in clients:
            client.join()
