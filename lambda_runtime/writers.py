"""How an answer reaches Lambda: streamed chunk by chunk, or buffered as one proxy response."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Sequence
from enum import Enum, auto
from threading import Lock
from typing import Any, Protocol

from lambda_runtime.error_report import ErrorReport
from lambda_runtime.http1 import ProtocolError
from lambda_runtime.invocation import ClientGoneError, ResponseWriter
from lambda_runtime.runtime_client import GONE, RuntimeClient

_STREAM_HEADERS = (
    b"Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
)
_PRELUDE_END = b"8\r\n\0\0\0\0\0\0\0\0\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_TOO_LARGE = 413


class _State(Enum):
    NEW = auto()
    STARTED = auto()
    ENDED = auto()
    SETTLED = auto()


class AnswerWriter(ResponseWriter, Protocol):
    """A response writer as the loop sees it."""

    def settle(self) -> None:
        """Have Lambda's word on the answer, ending it first if the handler did not. Called when the handler has returned.

        Raises:
            ClientGoneError: if Lambda did not take the answer.
        """

    def reject(self, report: ErrorReport) -> None:
        """Answer with an error: to `/error` if nothing was sent yet, else in trailers. Nothing if the answer has ended.

        Raises:
            ClientGoneError: if Lambda did not take it.
        """


class _Writer(ABC):
    """What both writers have in common: the lock, the state, and the conversation with the Runtime API."""

    def __init__(self, client: RuntimeClient, request_id: str, invocation_id: str = "") -> None:
        self._client = client
        self._path = b"/invocation/" + request_id.encode("ascii")
        self._echo = b"Lambda-Runtime-Invocation-Id: %b\r\n" % invocation_id.encode("latin-1") if invocation_id else b""
        self._lock = Lock()
        self._state = _State.NEW

    @property
    def started(self) -> bool:
        """Whether `start` was called."""
        return self._state is not _State.NEW

    def fail(self, error_type: str, message: str) -> None:
        """The answer broke: ends it and tells Lambda so, as `Function.<error_type>`; in trailers if some of it was sent."""
        self._fail(ErrorReport(f"Function.{error_type}", message))

    def reject(self, report: ErrorReport) -> None:
        """Answer with an error."""
        self._fail(report)
        self.settle()

    def settle(self) -> None:
        """Have Lambda's word on the answer."""
        if self._state is _State.NEW:
            self._fail(ErrorReport("Function.NoAnswer", "the handler returned without an answer"))
        self.end()
        if self._state is not _State.ENDED:
            return
        status = self._status()
        if status == GONE:
            raise ClientGoneError("the answer came too late: the invocation is over")
        if status >= 300:  # noqa: PLR2004
            raise ClientGoneError(f"the Runtime API refused the answer with status {status}")

    @abstractmethod
    def end(self) -> None:
        """The answer is complete."""

    @abstractmethod
    def _fail(self, report: ErrorReport) -> None:
        """End the answer with an error. Nothing if it has ended."""

    def _begin(self) -> None:
        if self._state is not _State.NEW:
            raise RuntimeError("start was called twice")
        self._state = _State.STARTED

    def _must_be_open(self) -> None:
        if self._state is not _State.STARTED:
            raise RuntimeError("write needs an answer that has started and not ended")

    def _send(self, data: bytes) -> None:
        try:
            self._client.send(data)
        except OSError as error:
            self._state = _State.SETTLED
            raise ClientGoneError(f"the Runtime API no longer takes the answer: {error}") from error

    def _status(self) -> int:
        self._state = _State.SETTLED
        try:
            return self._client.status()
        except (OSError, ProtocolError) as error:
            raise ClientGoneError(f"the Runtime API did not say whether it took the answer: {error}") from error

    def _post_error(self, report: ErrorReport) -> None:
        body = report.to_json()
        headers = self._echo + report.header + b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        self._send(self._client.head(self._path + b"/error", headers) + body)
        self._state = _State.ENDED


class StreamingWriter(_Writer):
    """Streams the answer: every piece goes out at once, in one system call. Implements `AnswerWriter`.

    Status and headers travel with the first piece, for that follows at once in a relay, and each system call costs 25 µs.

    Args:
        client: the Runtime API.
        request_id: Lambda's id of the invocation.
        invocation_id: `Lambda-Runtime-Invocation-Id` to echo. Default: none.
    """

    def __init__(self, client: RuntimeClient, request_id: str, invocation_id: str = "") -> None:
        super().__init__(client, request_id, invocation_id)
        self._unsent = b""

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Send status and headers, with what is written next. A name may occur more than once."""
        prelude = json.dumps(_prelude(status, headers), separators=(",", ":")).encode("ascii")
        head = self._client.head(self._path + b"/response", self._echo + _STREAM_HEADERS)
        with self._lock:
            self._begin()
            self._unsent = b"%b%x\r\n%b\r\n%b" % (head, len(prelude), prelude, _PRELUDE_END)

    def write(self, data: bytes) -> None:
        """Send a piece of the body at once. Empty data is ignored, for an empty chunk would end the answer.

        Raises:
            ClientGoneError: if Lambda no longer takes the answer.
        """
        if not data:
            return
        with self._lock:
            if self._state is _State.SETTLED:
                raise ClientGoneError("the Runtime API no longer takes the answer")
            self._must_be_open()
            self._send_more(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """The answer is complete. Lambda's word on it is read when the handler returns, so that nobody waits for it."""
        with self._lock:
            if self._state is _State.STARTED:
                self._state = _State.ENDED
                self._send_more(_LAST_CHUNK)

    def _send_more(self, data: bytes) -> None:
        unsent, self._unsent = self._unsent, b""
        self._send(unsent + data)

    def _fail(self, report: ErrorReport) -> None:
        with self._lock:
            if self._state is _State.NEW:
                self._post_error(report)
            elif self._state is _State.STARTED:
                body = b64encode(report.to_json())
                self._state = _State.ENDED
                self._send_more(b"0\r\n%bLambda-Runtime-Function-Error-Body: %b\r\n\r\n" % (report.header, body))


class BufferedWriter(_Writer):
    """Collects the answer and posts it as one API Gateway proxy response. Implements `AnswerWriter`.

    A body that is not UTF-8 is sent as base64. As nothing is sent before the end, an answer that breaks midway becomes an
    error as if it had never started.

    Args:
        client: the Runtime API.
        request_id: Lambda's id of the invocation.
        invocation_id: `Lambda-Runtime-Invocation-Id` to echo. Default: none.
    """

    def __init__(self, client: RuntimeClient, request_id: str, invocation_id: str = "") -> None:
        super().__init__(client, request_id, invocation_id)
        self._response: dict[str, Any] = {}
        self._body: list[bytes] = []

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Note status and headers. A name may occur more than once."""
        with self._lock:
            self._begin()
            self._response = _prelude(status, headers)
            del self._response["cookies"]

    def write(self, data: bytes) -> None:
        """Note a piece of the body."""
        with self._lock:
            self._must_be_open()
            self._body.append(data)

    def end(self) -> None:
        """Send the answer. Lambda's word on it is read when the handler returns."""
        with self._lock:
            if self._state is not _State.STARTED:
                return
            self._state = _State.ENDED
            body = b"".join(self._body)
            try:
                self._response |= {"body": body.decode("utf-8"), "isBase64Encoded": False}
            except UnicodeDecodeError:
                self._response |= {"body": b64encode(body).decode("ascii"), "isBase64Encoded": True}
            content = json.dumps(self._response, separators=(",", ":")).encode("ascii")
            headers = self._echo + b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content)
            self._send(self._client.head(self._path + b"/response", headers) + content)

    def _status(self) -> int:
        status = super()._status()
        if status != _TOO_LARGE:
            return status
        with self._lock:
            self._post_error(ErrorReport("Function.ResponseSizeTooLarge", "the answer is larger than Lambda takes buffered"))
        return super()._status()

    def _fail(self, report: ErrorReport) -> None:
        with self._lock:
            if self._state in {_State.NEW, _State.STARTED}:
                self._post_error(report)


def _prelude(status: int, headers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    single: dict[str, str] = {}
    multiple: dict[str, list[str]] = {}
    for name, value in headers:
        if name in multiple:
            multiple[name].append(value)
        elif name in single:
            multiple[name] = [single.pop(name), value]
        else:
            single[name] = value
    # Without `cookies` one of the emulators refuses a prelude.
    return {"statusCode": status, "headers": single, "multiValueHeaders": multiple, "cookies": []}
