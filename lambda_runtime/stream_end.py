"""Whether a stream of events was complete when it ended: a truncated answer must never look like a whole one.

Bytes only, and only at the chunks' seams: each chunk is searched for a few short texts together with the last bytes before it,
so that it does not matter where the network cut. A line break and a double quote inside a JSON string are always escaped, so
that no model output can imitate what is searched for.
"""

from __future__ import annotations

import re
from functools import cache

from lambda_runtime.config import Operation

_OVERLAP = 96
_DONE = re.compile(rb"[\r\n]data: ?\[DONE\]")
_REASON, _NO_REASON = b'"finish_reason"', b'"finish_reason":null'
_FINISH_REASON = re.compile(rb'"finish_reason"\s*:\s*"')
_CHAT_ERROR = re.compile(rb'[\r\n]data: ?\{\s*"error"\s*:\s*[{"]')
_RESPONSE_ENDS = (b"response.completed", b"response.failed", b"response.incomplete")


@cache
def _event_named(names: bytes) -> re.Pattern[bytes]:
    """Finds an event's name where only its own can stand: in its line, or as the first or last field of its data.

    Not anywhere: the responses format repeats the request's metadata and tools in its first event, as the JSON that they are.
    Compiled at its first use, for it is not worth half a millisecond of each start.
    """
    name = rb'"type"\s*:\s*"(?:%b)"' % names
    first = rb'[\r\n]data: ?\{\s*(?:"sequence_number"\s*:\s*\d+\s*,\s*)?' + name
    return re.compile(rb"[\r\n]event: ?(?:%b)[\r\n]|%b|%b\s*\}[\r\n]" % (names, first, name))


_MESSAGE_STOP = b"message_stop"
_RESPONSE_END = rb"response\.(?:completed|failed|incomplete)"
_ERROR_EVENT = re.compile(rb"[\r\n]event: ?error[\r\n]")


class StreamEnd:
    """Watches a stream of events.

    Args:
        operation: whose stream it is.
        several: whether it holds several answers, which finish one by one. Default: one.
    """

    __slots__ = ("_chat", "_messages", "_several", "_tail", "complete", "failed", "finished")

    complete: bool
    """The format's terminator came."""
    finished: bool
    """Chat completions: a finish reason came."""
    failed: bool
    """The upstream itself ended the stream with an error event."""

    def __init__(self, operation: Operation, *, several: bool = False) -> None:
        self._several = several
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
        elif self._messages and _MESSAGE_STOP in window and _event_named(_MESSAGE_STOP).search(window):
            self.complete = True
        # Some relays answer chat completions with the events of the responses format.
        if not self._messages and b"response." in window and any(map(window.__contains__, _RESPONSE_ENDS)):
            self.complete = self.complete or _event_named(_RESPONSE_END).search(window) is not None
        if b"error" in window and (_ERROR_EVENT.search(window) or (self._chat and _CHAT_ERROR.search(window))):
            self.failed = True

    @property
    def lacks_only_done(self) -> bool:
        """The answer is whole, but `[DONE]` did not come.

        A finish reason in a line that was cut short does not count. Of several answers one that finished says nothing about
        the others.
        """
        undone = self.finished and not (self.complete or self.failed or self._several)
        return undone and self._tail.endswith((b"\n", b"\r"))

    def separator(self) -> bytes:
        """What closes an open line or event, so that an event written next is one of its own."""
        tail = self._tail
        if tail == b"\n" or tail.endswith((b"\n\n", b"\r\r", b"\r\n\r\n")):  # nothing came yet, or an event is over
            return b""
        return b"\n" if tail.endswith((b"\n", b"\r")) else b"\n\n"
