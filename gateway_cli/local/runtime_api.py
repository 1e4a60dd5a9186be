"""The Runtime API of one worker: hands out events, takes answers."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_cli.local.answer import Answer, FunctionError
from gateway_cli.local.http_wire import HEAD_LIMIT, WireError, WireRequest, read_request, response

_ROOT = "/2018-06-01/runtime/"
_ACCEPTED = b'{"status":"OK"}'


@dataclass(slots=True)
class Invocation:
    """One event on its way through a worker.

    Args:
        event: the JSON of the event.
        function_arn: the ARN that was invoked.
        deadline_ms: when the function is killed, in milliseconds since the epoch.
        trace_id: X-Ray's trace header.
    """

    event: bytes
    function_arn: str
    deadline_ms: int
    trace_id: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: Answer = field(default_factory=Answer)
    answered: bool = False
    """Whether the function has begun to answer: a second answer is refused."""


class RuntimeApi:
    """Serves the Runtime API on a port of its own, for one worker process, one event at a time.

    Args:
        on_idle: called when the worker asks for an event and has none under way.
        on_report: called with a sentence for each failure that the function reports.
    """

    def __init__(self, *, on_idle: Callable[[], None], on_report: Callable[[str], None]) -> None:
        self._on_idle = on_idle
        self._on_report = on_report
        self._events: asyncio.Queue[Invocation] = asyncio.Queue(1)
        self._server: asyncio.Server | None = None
        self._address = ""
        self._connections: set[asyncio.Task[None]] = set()
        self._current: Invocation | None = None
        self.init_error: FunctionError | None = None
        """What the function reported instead of asking for its first event."""

    async def start(self) -> str:
        """Begin to listen on a free port of 127.0.0.1.

        Returns:
            The value of `AWS_LAMBDA_RUNTIME_API`.
        """
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=HEAD_LIMIT)
        host, port = self._server.sockets[0].getsockname()
        self._address = f"{host}:{port}"
        return self._address

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def hand_out(self, invocation: Invocation) -> None:
        """Give the worker its next event. Only while it is idle."""
        self._current = invocation
        self._events.put_nowait(invocation)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - asyncio runs this in a task
            return
        self._connections.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                while request := await read_request(reader):
                    if request.headers.get("host") != self._address:
                        break  # a web page whose name was made to lead here; the function asks for the address it was given
                    writer.write(await self._answer(request))
                    await writer.drain()
        except WireError as error:
            self._broken(f"the connection to the Runtime API broke: {error}")
        except asyncio.CancelledError:
            # Only `stop` cancels. Ending normally keeps asyncio's stream server from reporting the cancellation as an error.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: WireRequest) -> bytes:
        path = request.path.removeprefix(_ROOT)
        match (request.method, path.split("/")):
            case ("GET", ["invocation", "next"]):
                return await self._next()
            case ("POST", ["invocation", request_id, "response"]):
                return await self._respond(request, request_id)
            case ("POST", ["invocation", request_id, "error"]):
                return await self._error(request, request_id)
            case ("POST", ["init", "error"]):
                self.init_error = _error(await request.text(), request.headers)
                return response(202, {"Content-Type": "application/json"}, _ACCEPTED)
            case _:
                async for _ in request.body():
                    pass
                return response(404, {"Content-Type": "application/json"}, b'{"errorMessage":"no such path"}')

    async def _next(self) -> bytes:
        previous, self._current = self._current, None
        if previous and not previous.answered:
            previous.answer.fail(FunctionError("Runtime.NoAnswer", "the function asked for the next event without an answer"))
        self._on_idle()
        invocation = await self._events.get()
        return response(
            200,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
            invocation.event,
        )

    async def _respond(self, request: WireRequest, request_id: str) -> bytes:
        invocation = self._current
        if not invocation or invocation.request_id != request_id or invocation.answered:
            async for _ in request.body():
                pass
            return response(410, {}, b'{"errorMessage":"this invocation is over"}')
        invocation.answered = True
        answer = invocation.answer
        answer.streaming = request.headers.get("lambda-runtime-function-response-mode", "").lower() == "streaming"
        async for piece in request.body():
            await answer.feed(piece)
        if "lambda-runtime-function-error-type" in request.trailers:
            body = base64.b64decode(request.trailers.get("lambda-runtime-function-error-body", ""))
            error = _error(body.decode("utf-8", "replace"), request.trailers)
            self._on_report(f"the function's answer broke after it had started: {error}")
            answer.fail(error)
        else:
            await answer.finish()
        return response(202, {"Content-Type": "application/json"}, _ACCEPTED)

    async def _error(self, request: WireRequest, request_id: str) -> bytes:
        error = _error(await request.text(), request.headers)
        invocation = self._current
        if not invocation or invocation.request_id != request_id or invocation.answered:
            return response(410, {}, b'{"errorMessage":"this invocation is over"}')
        invocation.answered = True
        self._on_report(f"the function failed: {error}")
        invocation.answer.fail(error)
        return response(202, {"Content-Type": "application/json"}, _ACCEPTED)

    def _broken(self, text: str) -> None:
        if self._current:
            self._current.answer.fail(FunctionError("Runtime.ConnectionBroken", text))


def _error(text: str, headers: object) -> FunctionError:
    kind = headers.get("lambda-runtime-function-error-type", "") if isinstance(headers, dict) else ""
    with contextlib.suppress(ValueError, AttributeError):
        report = json.loads(text)
        return FunctionError(
            kind or report.get("errorType", "Function.Unknown"), report.get("errorMessage", text) or "no message given"
        )
    return FunctionError(kind or "Function.Unknown", text)
