"""A client: asks over one connection as long as that lasts; a slow one reads little at a time, and may leave."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from random import Random

from tests.soak.asks import Ask, key_of
from tests.soak.result import Received, Result, judge

PATIENCE = 30.0
"""Seconds of silence after which a request counts as hung."""

_LEAVES = 0.004
_SLOW_LEAVES = 0.4
_DRIP = 7
_DRIPS = 40
_SIP = 64 * 1024
_PAUSE = 0.004
_BUFFER = 4096


class Client:
    """Asks one thing after the other.

    Args:
        port: of the front.
        random: who leaves, and when.
        slow: whether it reads slowly. Default: as fast as it can.
    """

    def __init__(self, port: int, random: Random, *, slow: bool = False) -> None:
        self._port = port
        self._random = random
        self._slow = slow
        self._connection: http.client.HTTPConnection | None = None
        self._pause = threading.Event()

    def ask(self, ask: Ask) -> Result:
        """Ask, and say what came of it."""
        began, begun = time.perf_counter(), time.time()
        received = self._received(ask)
        milliseconds, ended = (time.perf_counter() - began) * 1000, time.time()
        if not received.whole:
            self.close()
        result = judge(ask, received, slow=self._slow)
        return result._replace(milliseconds=milliseconds, begun=begun, ended=ended)

    def close(self) -> None:
        """Close its connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _received(self, ask: Ask) -> Received:
        head: dict[str, str] = {}
        parts: list[bytes] = []
        status, left = 0, False
        try:
            response = self._sent(ask)
            status = response.status
            head = {name.lower(): value for name, value in response.getheaders()}
            leaves = self._random.random() < (_SLOW_LEAVES if self._slow else _LEAVES)
            limit = self._random.randint(0, 4_000_000 if self._slow else 2_000) if leaves and status == 200 else None
            while data := response.read1(self._share(len(parts))):
                parts.append(data)
                if limit is not None and sum(map(len, parts)) > limit:
                    left = True
                    break
            whole = not left and not response.length
            response.close()
        except http.client.IncompleteRead as error:
            parts.append(error.partial)
            whole = False
        except TimeoutError:
            head["content-type"] = f"none: silent for {PATIENCE:.0f} s"
            whole = True
        except (OSError, http.client.HTTPException):
            whole = False
        return Received(status, head, b"".join(parts), whole, left)

    def _sent(self, ask: Ask) -> http.client.HTTPResponse:
        key = key_of(ask.consumer)
        headers = {"content-type": "application/json"}
        headers |= {"x-api-key": key} if ask.format == "messages" else {"authorization": f"Bearer {key}"}
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            sock = socket.socket()
            sock.settimeout(PATIENCE)
            if self._slow:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            sock.connect(("127.0.0.1", self._port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.sock = sock
        self._connection.request("POST", f"/prod{ask.path}", ask.body, headers)
        return self._connection.getresponse()

    def _share(self, reads: int) -> int:
        """How much to read next, after a while if slow."""
        if not self._slow:
            return 256 * 1024
        self._pause.wait(_PAUSE)
        return _DRIP if reads < _DRIPS else _SIP
