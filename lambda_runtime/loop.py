"""The Runtime API loop: initialise, then next event, handler, answer, without end.

AWS's own Python client does not stream answers. Its place is behind `invocation.py`, so that it can take over once it does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys

from lambda_runtime import snapstart
from lambda_runtime.error_report import ErrorReport
from lambda_runtime.http1 import ProtocolError
from lambda_runtime.invocation import ClientGoneError, Handler, Invocation
from lambda_runtime.metric_lines import count_crash
from lambda_runtime.runtime_client import RuntimeClient
from lambda_runtime.writers import AnswerWriter, BufferedWriter, StreamingWriter

_WRITERS: dict[str, type[StreamingWriter | BufferedWriter]] = {"stream": StreamingWriter, "buffered": BufferedWriter}


class InitError(Exception):
    """The function cannot start.

    Args:
        error_type: for the Runtime API, for example `Runtime.HandlerNotFound`.
        message: what is wrong and how to mend it.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def run() -> int:
    """Run the function until Lambda ends the process.

    Returns:
        The process's exit status, if it must end: 1, after the reason has been reported.
    """
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
        writer_type = _writer_type()
        snapshot = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
        if snapshot:
            snapstart.run_before_snapshot()
    except BaseException as error:  # noqa: BLE001
        return _report(client, b"/init/error", error, "the function cannot start")
    # What is here now stays: the collector need not look at it again, and forked or restored memory stays shared.
    gc.freeze()
    gc.enable()
    if snapshot and not _restored(client):
        return 1
    while True:
        if not serve_one(client, handler, writer_type):
            return 1


def load_handler(name: str) -> Handler:
    """Import the handler.

    Args:
        name: `module.attribute`, where the module's name may have dots or, as Lambda has it, slashes.

    Raises:
        InitError: if there is none of that name, or its module cannot be imported.
    """
    module_name, dot, attribute = name.replace("/", ".").rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName", f"_HANDLER must be written 'module.attribute', got {name!r}")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InitError(
            "Runtime.ImportModuleError", f"the handler's module {module_name!r} cannot be imported: {error}"
        ) from error
    handler = getattr(module, attribute, None)
    if not callable(handler):
        raise InitError("Runtime.HandlerNotFound", f"the module {module_name!r} has no callable {attribute!r}; see _HANDLER")
    found: Handler = handler
    return found


def serve_one(client: RuntimeClient, handler: Handler, writer_type: type[StreamingWriter | BufferedWriter]) -> bool:
    """Fetch an event and have it answered.

    Args:
        client: the Runtime API.
        handler: answers the event.
        writer_type: how.

    Returns:
        Whether the process can go on; if not, it was said why.
    """
    try:
        status, headers, body = client.get(b"/invocation/next")
    except (OSError, ProtocolError) as error:
        ErrorReport.of(error).log("the Runtime API cannot be reached")
        return False
    if status != 200:  # noqa: PLR2004
        if status == 204:  # noqa: PLR2004  one of the emulators does not wait
            return True
        # It would come again and again: Lambda wants a process that is told so to end.
        ErrorReport("Runtime.NoEvent", f"asked for an event, the Runtime API answered with status {status}").log(
            "the Runtime API gives no event"
        )
        return False
    request_id = headers["lambda-runtime-aws-request-id"]
    invocation = Invocation(
        request_id=request_id,
        deadline=int(headers.get("lambda-runtime-deadline-ms", "0")) / 1000,
        function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
        trace_id=headers.get("lambda-runtime-trace-id", ""),
    )
    writer = writer_type(client, request_id, headers.get("lambda-runtime-invocation-id", ""))
    try:
        handler(json.loads(body), invocation, writer)
        writer.settle()
    except ClientGoneError as error:
        # Whatever was left half said on the connection must not become part of the next request.
        client.close()
        ErrorReport.of(error).log("the answer was not taken", request_id)
    except Exception as error:  # noqa: BLE001
        _reject(client, writer, error, request_id)
        # Out of memory once, an instance is not worth keeping: Lambda replaces a process that ends.
        return not isinstance(error, MemoryError)
    except BaseException as error:  # noqa: BLE001
        _reject(client, writer, error, request_id)
        return False
    return True


def _reject(client: RuntimeClient, writer: AnswerWriter, error: BaseException, request_id: str) -> None:
    count_crash("the handler raised")
    report = ErrorReport.of(error)
    report.log("the handler raised", request_id)
    try:
        writer.reject(report)
    except ClientGoneError as gone:
        client.close()
        ErrorReport.of(gone).log("the error was not taken", request_id)


def _writer_type() -> type[StreamingWriter | BufferedWriter]:
    mode = os.environ.get("AI_GATEWAY_RESPONSE_MODE", "stream")
    try:
        return _WRITERS[mode]
    except KeyError:
        raise InitError(
            "Runtime.InvalidConfiguration", f"AI_GATEWAY_RESPONSE_MODE must be stream or buffered, got {mode!r}"
        ) from None


def _restored(client: RuntimeClient) -> bool:
    """Let Lambda take the snapshot, and wake up from it. Says whether that went well."""
    try:
        client.get(b"/restore/next")
        # The connection that was open while the snapshot was taken leads nowhere now.
        client.close()
        snapstart.run_after_restore()
    except BaseException as error:  # noqa: BLE001
        client.close()
        _report(client, b"/restore/error", error, "the function cannot wake up from its snapshot")
        return False
    return True


def _report(client: RuntimeClient, path: bytes, error: BaseException, message: str) -> int:
    # First of all, for whatever follows may fail, too.
    count_crash(message)
    report = ErrorReport.of(error)
    if isinstance(error, InitError):
        report.error_type = error.error_type
    report.log(message)
    try:
        client.post(path, report.to_json(), report.header + b"Content-Type: application/json\r\n")
    except (OSError, ProtocolError) as gone:
        ErrorReport.of(gone).log("the Runtime API cannot be told")
    sys.stdout.flush()
    return 1
