"""An in-test Runtime API: hands out scripted events and takes down the answers, chunk by chunk, trailers included."""

from __future__ import annotations

import base64
import json
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PREFIX = "/2018-06-01/runtime"
WAIT = 20.0
"""Seconds after which something awaited counts as lost."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event to hand out. `status` is what its answer is answered with."""

    body: bytes
    request_id: str
    deadline_ms: int
    invocation_id: str = ""
    status: int = 202


@dataclass(kw_only=True)
class Answer:
    """What was posted. `chunks` has the HTTP chunks of a streamed answer with their times of arrival."""

    path: str
    headers: dict[str, str]
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    complete: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def payload(self) -> bytes:
        return b"".join(data for _, data in self.chunks)

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def prelude(self) -> Any:
        """Status and headers of a streamed answer."""
        return json.loads(self.payload.partition(b"\0" * 8)[0])

    @property
    def body(self) -> bytes:
        """Body of a streamed answer."""
        return self.payload.partition(b"\0" * 8)[2]

    @property
    def error_body(self) -> Any:
        """The error in the trailers of a streamed answer."""
        return json.loads(base64.b64decode(self.trailers["lambda-runtime-function-error-body"]))

    def add(self, data: bytes) -> None:
        with self.arrived:
            self.chunks.append((time.monotonic(), data))
            self.arrived.notify_all()

    def wait_for_body(self, data: bytes) -> None:
        """Wait until the body so far is `data`, while the answer may still be under way."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.body == data, WAIT), f"only {self.body!r} has arrived"


class RuntimeApiServer:
    """Serves the Runtime API on a free loopback port. Use as a context manager."""

    def __init__(self) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        """Answers to events, init errors and restore errors, from when their head has arrived."""
        self.restore_status = 200
        self.restoring = threading.Event()
        """Set when the function asks for its restore: its snapshot would be taken then."""
        self.restore = threading.Event()
        """Set it to let a restore go through. Set at first."""
        self.restore.set()
        self.asked = threading.Semaphore(0)
        """Released for each request for an event."""
        self.connections = 0
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._pending: dict[str, Event] = {}
        self._count = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"runtime_api": self}))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._http.server_address[1]}"

    def push(
        self,
        body: Any = None,
        *,
        seconds: float = 30.0,
        invocation_id: str = "",
        status: int = 202,
    ) -> str:
        """Hand out an event to whoever asks next.

        Returns:
            The event's request id.
        """
        self._count += 1
        request_id = f"request-{self._count}"
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        deadline_ms = int((time.time() + seconds) * 1000)
        event = Event(body=data, request_id=request_id, deadline_ms=deadline_ms, invocation_id=invocation_id, status=status)
        self._pending[request_id] = event
        self._events.put(event)
        return request_id

    def answer(self) -> Answer:
        """The next answer, whole."""
        answer = self.begun_answer()
        assert answer.complete.wait(WAIT), f"{answer.path} did not end"
        return answer

    def begun_answer(self) -> Answer:
        """The next answer, as soon as its head is here."""
        return self.answers.get(timeout=WAIT)

    def wait_until_asked(self) -> None:
        """Wait until the function asks for an event."""
        assert self.asked.acquire(timeout=WAIT), "the function did not ask for an event"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._events.put(None)
        self.restore.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_event(self) -> Event | None:
        self.asked.release()
        event = self._events.get()
        if event is None:
            self._events.put(None)
        return event

    def status_of(self, request_id: str) -> int:
        return self._pending[request_id].status


class _Handler(BaseHTTPRequestHandler):
    runtime_api: RuntimeApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.runtime_api.connections += 1
        super().setup()

    def handle(self) -> None:
        # A killed function resets its connection.
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        if self.path == f"{PREFIX}/restore/next":
            self.runtime_api.restoring.set()
            self.runtime_api.restore.wait()
            self._reply(self.runtime_api.restore_status, {}, b"")
            return
        assert self.path == f"{PREFIX}/invocation/next", self.path
        event = self.runtime_api.next_event()
        if event is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:gateway:live",
            "Lambda-Runtime-Trace-Id": "Root=1-2-3;Sampled=0",
        }
        if event.invocation_id:
            headers["Lambda-Runtime-Invocation-Id"] = event.invocation_id
        self._reply(200, headers, event.body)

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = Answer(path=self.path.removeprefix(PREFIX), headers=headers)
        self.runtime_api.answers.put(answer)
        if headers.get("transfer-encoding") == "chunked":
            if not self._read_chunks(answer):
                self.close_connection = True
                return
        else:
            answer.add(self.rfile.read(int(headers["content-length"])))
        answer.complete.set()
        parts = answer.path.split("/")
        self._reply(self.runtime_api.status_of(parts[2]) if parts[1] == "invocation" else 202, {}, b'{"status":"OK"}')

    def _read_chunks(self, answer: Answer) -> bool:
        while line := self.rfile.readline():
            size = int(line, 16)
            if not size:
                while trailer := self.rfile.readline().strip():
                    name, _, value = trailer.decode().partition(": ")
                    answer.trailers[name.lower()] = value
                return True
            answer.add(self.rfile.read(size))
            assert self.rfile.read(2) == b"\r\n"
        return False

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
