"""What ends a stream in each of the formats, read plainly and apart from the gateway's own readers."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.config import Operation
from lambda_runtime.json_scan import parse_object

OPERATIONS = {"c": Operation.CHAT_COMPLETIONS, "m": Operation.MESSAGES, "r": Operation.RESPONSES}
"""Operations by their letters among an input's options."""

_ENDS = {"response.completed", "response.incomplete", "response.failed"}


def document_of(data: str | None) -> dict[str, Any] | None:
    """The object that is an event's data, or None."""
    return None if data is None else parse_object(data.encode("utf-8", "surrogateescape"))


def is_end(name: str, data: str | None, operation: Operation, *, to_anybody: bool = False) -> bool:
    """Whether an event is its format's last.

    Some relays answer chat completions with the events of responses, and name their kinds in either of two places.

    Args:
        name: the event's name.
        data: its data.
        operation: what was asked for.
        to_anybody: whether it must be so for every reader. Default: it is enough if it is for one.
    """
    if data is None:
        return False
    kind = (document_of(data) or {}).get("type")
    if operation is Operation.MESSAGES:
        return bool((name if kind is None else kind) == "message_stop")
    if operation is Operation.RESPONSES or not to_anybody:
        kind = kind or name
    return data.strip() == "[DONE]" or str(kind) in _ENDS


def says_why(documents: list[dict[str, Any]], choices: int) -> bool:
    """Whether each answer of a stream said why it ended."""
    done = set()
    for document in documents:
        delta = document.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason"):
            return True
        for choice in document["choices"] if isinstance(document.get("choices"), list) else ():
            if isinstance(choice, dict) and choice.get("finish_reason"):
                done.add(json.dumps(choice.get("index", 0)))
    return len(done) >= choices
