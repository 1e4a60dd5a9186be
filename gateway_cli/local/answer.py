"""A function's answer to one invocation, read while the function is still writing it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

DELIMITER = b"\0" * 8
PRELUDE_LIMIT = 16 * 1024
"""Bytes within which status and headers and the delimiter behind them must have come."""

_QUEUE = 64


class FunctionError(Exception):
    """The function failed, or answered something that API Gateway does not understand.

    Args:
        error_type: such as `Runtime.ExitError` or `Function.SomeError`.
        message: what happened.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer.

    Args:
        status: the HTTP status.
        headers: name and value; a name may occur more than once.
    """

    status: int
    headers: tuple[tuple[str, str], ...]


class Answer:
    """Takes what the Runtime API is sent on one side and gives what the client gets on the other."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | FunctionError | None] = asyncio.Queue(_QUEUE)
        self._failure: FunctionError | None = None
        self._rest = b""
        self._whole: bytes | None = None
        self._dropped = False
        self.finished = False
        """Whether the function has sent all of it."""
        self.failed = False
        """Whether it will never be complete."""
        self.streaming = False
        """Whether the function streams: a prelude, the delimiter, then the body as it is."""

    async def feed(self, data: bytes) -> None:
        """Pass on a piece; waits while the client is slow."""
        if not self._dropped:
            await self._queue.put(data)

    async def finish(self) -> None:
        """The answer is complete."""
        self.finished = True
        if not self._dropped:
            await self._queue.put(None)

    def fail(self, error: FunctionError) -> None:
        """The answer will never be complete. What was fed already is still delivered."""
        self.failed = True
        if self._queue.full():
            # A reader that is so far behind does not wait: it finds out when it has read everything.
            self._failure = error
        else:
            self._queue.put_nowait(error)

    def drop(self) -> None:
        """The client has gone: the function goes on and its output is thrown away, as Lambda does."""
        self._dropped = True
        while not self._queue.empty():
            self._queue.get_nowait()

    async def head(self) -> Head:
        """Status and headers, as soon as they are known.

        Raises:
            FunctionError: if the function failed first, or did not answer in the form of a proxy integration.
        """
        first = await self._next()
        if not self.streaming:
            whole = [first]
            while whole[-1] is not None:
                whole.append(await self._next())
            return self._buffered(b"".join(piece for piece in whole if piece))
        seen = b""
        piece = first
        while True:
            if piece is None:
                raise FunctionError("Runtime.MalformedPrelude", "the answer ended before the 8 NUL bytes that end its prelude")
            seen += piece
            prelude, delimiter, rest = seen.partition(DELIMITER)
            if delimiter:
                self._rest = rest
                return _head(_object(prelude))
            if len(seen) > PRELUDE_LIMIT:
                raise FunctionError("Runtime.MalformedPrelude", f"no delimiter within the first {PRELUDE_LIMIT} bytes")
            piece = await self._next()

    async def body(self) -> AsyncIterator[bytes]:
        """The body's pieces, as the function sends them. Only after `head`.

        Raises:
            FunctionError: if the answer breaks off.
        """
        if self._whole is not None:
            if self._whole:
                yield self._whole
            return
        if self._rest:
            yield self._rest
        while (piece := await self._next()) is not None:
            yield piece

    @property
    def whole(self) -> bytes | None:
        """The whole body of an answer that was not streamed; None if it was."""
        return self._whole

    async def _next(self) -> bytes | None:
        if self._failure and self._queue.empty():
            raise self._failure
        item = await self._queue.get()
        if isinstance(item, FunctionError):
            raise item
        return item

    def _buffered(self, payload: bytes) -> Head:
        answer = _object(payload)
        body = answer.get("body")
        if not isinstance(body, str | None):
            raise FunctionError("Runtime.MalformedResponse", f"'body' must be a string, got {type(body).__name__}")
        self._whole = base64.b64decode(body or "") if answer.get("isBase64Encoded") else (body or "").encode()
        return _head(answer)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FunctionError("Runtime.MalformedResponse", f"not JSON: {text[:200]!r}") from error
    if not isinstance(value, dict):
        raise FunctionError("Runtime.MalformedResponse", f"not a JSON object: {text[:200]!r}")
    return value


def _head(answer: dict[str, Any]) -> Head:
    try:
        status = int(answer.get("statusCode", 200))
        multiple = answer.get("multiValueHeaders") or {}
        headers = [(str(name), str(value)) for name, values in multiple.items() for value in values]
        known = {name.lower() for name, _ in headers}
        headers += [(name, str(value)) for name, value in (answer.get("headers") or {}).items() if name.lower() not in known]
        headers += [("Set-Cookie", str(cookie)) for cookie in answer.get("cookies") or []]
    except (TypeError, ValueError, AttributeError) as error:
        raise FunctionError("Runtime.MalformedResponse", f"status or headers are malformed: {error}") from error
    return Head(status, tuple(headers))
