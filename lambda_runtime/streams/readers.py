"""What the events of a stream mean, in each of the formats."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, ClassVar, Protocol

from lambda_runtime.config import Operation
from lambda_runtime.usage import Usage


class Mark(Enum):
    """What an event is to the relay."""

    CONTENT = auto()
    """Something of the answer. The first one commits the client's answer to this upstream."""

    FRAME = auto()
    """What surrounds content: roles, starts, ends of parts. Held until there is content."""

    FILLER = auto()
    """A comment or a ping: keeps a connection alive and says nothing. Held like a frame; our own heartbeats keep the client."""

    USAGE = auto()
    """Figures only: the extra chunk that `include_usage` brings."""

    END = auto()
    """The format's terminator."""

    ERROR = auto()
    """The upstream gives up."""

    MALFORMED = auto()
    """Not JSON. Dropped."""


class EventReader(Protocol):
    """Reads one stream's events, in their order."""

    terminator: ClassVar[bytes]
    """What ends a stream of the format."""

    event: dict[str, Any]
    """The event that was read last, parsed."""

    content: bool
    """Content came."""

    finished: bool
    """The answer said why it ended: nothing of it is missing but perhaps the format's terminator."""

    complete: bool
    """The format's terminator came."""

    filtered: bool
    """The upstream's content filter ended the answer."""

    error: Any
    """What an error event said: an object or a text. None: there was none."""

    clear: bool
    """Whether the error event is such that the format's SDKs raise on it. Others would be taken for a part of the answer."""

    foreign: bool
    """The events are those of another format, which the client can be given as they are but not translated."""

    malformed: int
    """Events that were dropped."""

    def read(self, raw: bytes) -> Mark:
        """Say what an event is.

        Args:
            raw: the event without its ending, as `EventSplitter` gives it.
        """

    def usage(self, input_bytes: int) -> Usage:
        """What was used: the upstream's own figures, or an estimate if the answer broke before it said them.

        Args:
            input_bytes: length of the request, by which an unknown input is estimated.
        """


class ReaderState:
    """What every reader keeps: the attributes of an `EventReader`, and a count of contents to estimate usage by."""

    __slots__ = ("_contents", "clear", "complete", "content", "error", "event", "filtered", "finished", "foreign", "malformed")

    def __init__(self) -> None:
        self._contents = 0
        self.event: dict[str, Any] = {}
        self.content = self.finished = self.complete = self.filtered = self.clear = self.foreign = False
        self.error: Any = None
        self.malformed = 0

    def _dropped(self) -> Mark:
        """Count an event that is not JSON."""
        self.malformed += 1
        return Mark.MALFORMED


def reader_for(operation: Operation, choices: int) -> EventReader:
    """The reader for an operation's streams.

    Args:
        operation: what was asked of the upstream.
        choices: how many answers the stream is to hold.
    """
    # Each is imported by the first stream that needs it: a start pays for none of them.
    if operation is Operation.MESSAGES:
        from lambda_runtime.streams.messages import MessagesReader  # noqa: PLC0415

        return MessagesReader()
    if operation is Operation.RESPONSES:
        from lambda_runtime.streams.responses import ResponsesReader  # noqa: PLC0415

        return ResponsesReader()
    from lambda_runtime.streams.chat import ChatReader  # noqa: PLC0415

    return ChatReader(choices)
