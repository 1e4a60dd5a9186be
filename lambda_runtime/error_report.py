"""What Lambda is told of an error: type, message, stack trace."""

from __future__ import annotations

import json
import traceback

from lambda_runtime.log import write_line

_NO_BREAKS = {ord("\r"): None, ord("\n"): None}
"""The type travels in a header field."""


class ErrorReport:
    """An error as the Runtime API takes it.

    Args:
        error_type: for example `Function.UpstreamGone`.
        message: what happened.
        stack_trace: one frame a line. Default: none.
    """

    __slots__ = ("error_type", "message", "stack_trace")

    def __init__(self, error_type: str, message: str, stack_trace: list[str] | None = None) -> None:
        self.error_type = error_type.translate(_NO_BREAKS)
        self.message = message
        self.stack_trace = stack_trace or []

    @classmethod
    def of(cls, error: BaseException) -> ErrorReport:
        """The report of an exception: its type is `Function.<class>`."""
        frames = traceback.extract_tb(error.__traceback__)
        return cls(
            f"Function.{type(error).__name__}",
            str(error),
            [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames],
        )

    @property
    def header(self) -> bytes:
        """The header field that names the type, ended by CRLF; also good as a trailer."""
        return b"Lambda-Runtime-Function-Error-Type: %b\r\n" % self.error_type.encode("ascii", "replace")

    def to_json(self) -> bytes:
        """The report's JSON."""
        fields = {"errorMessage": self.message, "errorType": self.error_type, "stackTrace": self.stack_trace}
        return json.dumps(fields).encode("ascii")

    def log(self, message: str, request_id: str = "") -> None:
        """Write it to the log, as one line of JSON.

        Args:
            message: what was going on.
            request_id: the invocation's. Default: none.
        """
        line = {
            "level": "ERROR",
            "message": message,
            "requestId": request_id,
            "errorType": self.error_type,
            "errorMessage": self.message,
            "stackTrace": self.stack_trace,
        }
        write_line(line)
