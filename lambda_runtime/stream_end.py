"""Whether a stream of events was complete when it ended: a truncated answer must never look like a whole one.

Bytes only, and only at the chunks' seams: each chunk is searched for a few short texts together with the last bytes before it,
so that it does not matter where the network cut. A line break and a double quote inside a JSON string are always escaped, so
that no model output can imitate what is searched for.
"""

from __future__ import annotations

import re

from lambda_runtime.config import Operation

_OVERLAP = 64
_DONE = re.compile(rb"[\r\n]data: ?\[DONE\]")
_REASON, _NO_REASON = b'"finish_reason"', b'"finish_reason":null'
_FINISH_REASON = re.compile(rb'"finish_reason"\s*:\s*"')
_CHAT_ERROR = re.compile(rb'[\r\n]data: ?\{\s*"error"\s*:\s*[{"]')
_MESSAGE_STOP = re.compile(rb'[\r\n]event: ?message_stop[\r\n]|"type"\s*:\s*"message_stop"')
_RESPONSE_END = re.compile(rb'"type"\s*:\s*"response\.(?:completed|failed|incomplete)"')
_ERROR_EVENT = re.compile(rb"[\r\n]event: ?error[\r\n]")


class StreamEnd:
    """Watches a stream of events.

    Args:
        operation: whose stream it is.
    """

    __slots__ = ("_chat", "_messages", "_tail", "complete", "failed", "finished")

    complete: bool
    """The format's terminator came."""
    finished: bool
    """Chat completions: a finish reason came."""
    failed: bool
    """The upstream itself ended the stream with an error event."""

    def __init__(self, operation: Operation) -> None:
        self._chat = operation is Operation.CHAT_COMPLETIONS
        self._messages = operation is Operation.MESSAGES
        self._tail = b"\n"
        self.complete = self.finished = self.failed = False

    def feed(self, chunk: bytes) -> None:
        """Look at the next piece of the stream."""
        window = self._tail + chunk
        self._tail = window[-_OVERLAP:]
        # A search for plain bytes costs a tenth of one with an expression, and nearly every chunk needs no more.
        if self._chat:
            if not self.finished and window.count(_REASON) != window.count(_NO_REASON):
                self.finished = _FINISH_REASON.search(window) is not None
            if b"[DONE]" in window and _DONE.search(window):
                self.complete = True
        elif self._messages and b"message_stop" in window and _MESSAGE_STOP.search(window):
            self.complete = True
        # Some relays answer chat completions with the events of the responses format.
        if not self._messages and b"response." in window and _RESPONSE_END.search(window):
            self.complete = True
        if b"error" in window and (_ERROR_EVENT.search(window) or (self._chat and _CHAT_ERROR.search(window))):
            self.failed = True

    @property
    def lacks_only_done(self) -> bool:
        """The answer is whole, but `[DONE]` did not come. A finish reason in a line that was cut short does not count."""
        return self.finished and not (self.complete or self.failed) and self._tail.endswith((b"\n", b"\r"))

    def separator(self) -> bytes:
        """What closes an open line or event, so that an event written next is one of its own."""
        tail = self._tail
        if tail == b"\n" or tail.endswith((b"\n\n", b"\r\r", b"\r\n\r\n")):  # nothing came yet, or an event is over
            return b""
        return b"\n" if tail.endswith((b"\n", b"\r")) else b"\n\n"
