"""Content blocks of a message under way, as the events of a stream."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii

from lambda_runtime.translation.chat_history import parse_arguments

TEXT, THINKING, TOOL = "text", "thinking", "tool_use"

_EMPTY = {TEXT: '{"type":"text","text":""}', THINKING: '{"type":"thinking","thinking":"","signature":""}'}
_DELTAS = {
    TEXT: '{"type":"text_delta","text":',
    THINKING: '{"type":"thinking_delta","thinking":',
    TOOL: '{"type":"input_json_delta","partial_json":',
}


class Block:
    """A block of text or thinking.

    Args:
        kind: `text` or `thinking`.
    """

    __slots__ = ("_head", "_number", "kind", "waiting")

    kind: str
    """The block's type."""

    waiting: list[str]
    """Pieces that the client has not seen yet."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.waiting = []
        self._number = 0
        self._head = ""

    @property
    def may_open(self) -> bool:
        """Whether enough is known to begin the block."""
        return True

    def over(self) -> bool:
        """Whether nothing can follow in the block, now that something else has come."""
        return True

    def open(self, number: int) -> str:
        """The event that begins the block, which is the message's block of that number."""
        self._number = number
        self._head = (
            f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{number},"delta":{_DELTAS[self.kind]}'
        )
        return (
            f'event: content_block_start\ndata: {{"type":"content_block_start","index":{number},'
            f'"content_block":{self._beginning()}}}\n\n'
        )

    def piece(self, text: str) -> str:
        """The event of a piece of the block."""
        return f"{self._head}{encode_basestring_ascii(text)}}}}}\n\n"

    def flush(self) -> str:
        """The event of all pieces that wait, if any do."""
        if not self.waiting:
            return ""
        text = "".join(self.waiting)
        self.waiting.clear()
        return self.piece(text)

    def close(self) -> str:
        """The event that ends the block."""
        return f'event: content_block_stop\ndata: {{"type":"content_block_stop","index":{self._number}}}\n\n'

    def _beginning(self) -> str:
        return _EMPTY[self.kind]


class ToolBlock(Block):
    """A block of a tool's call. Its pieces are those of the arguments' JSON."""

    __slots__ = ("_pieces", "identity", "name")

    identity: str
    """The call's id."""

    name: str
    """The tool's name; empty until it is known."""

    def __init__(self, identity: str) -> None:
        super().__init__(TOOL)
        self.identity = identity
        self.name = ""
        self._pieces: list[str] = []

    @property
    def may_open(self) -> bool:
        """Whether the tool's name is known."""
        return bool(self.name)

    def add(self, text: str) -> None:
        """Add a piece of the arguments."""
        self._pieces.append(text)
        self.waiting.append(text)

    def over(self) -> bool:
        """Whether the arguments are a whole JSON object. None yet may still come."""
        last = next((piece for piece in reversed(self._pieces) if not piece.isspace()), "")
        return last.rstrip().endswith("}") and parse_arguments("".join(self._pieces)) is not None

    def _beginning(self) -> str:
        return json.dumps({"type": TOOL, "id": self.identity, "name": self.name, "input": {}}, separators=(",", ":"))
