"""Keys among arguments, and the values of secrets that hold keys."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from gateway_cli.errors import MISTAKEN, CommandError
from lambda_runtime.config import PLACEHOLDER_FIELD

_PREFIXES = ("sk-", "sk_", "xai-", "gsk_", "AIza")
_SHORTEST_KEY = 20
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}").fullmatch
_RARE_IN_NAMES = re.compile(r"[A-Z_.]|[0-9]{4}")


def require_no_key(command: str, words: Sequence[str]) -> None:
    """Refuse a key among a command's arguments. What it says names no argument: it may be the key.

    Args:
        command: for the advice, as in `stage`.
        words: the arguments, the upstream's name first.

    Raises:
        CommandError: if one of them looks like a key, or there are too many.
    """
    first, *more = words
    # What an upstream may be called is looked for among the upstreams.
    if more or (looks_like_key(first) and not _NAME(first)):
        name = "UPSTREAM" if looks_like_key(first) else first
        raise CommandError(
            "a key is never given as an argument: the shell's history and the list of processes keep those. Leave it out to be "
            f"asked for it, or pipe it in: ai-gateway credentials {command} {name} < file-with-the-key. {BURNT}",
            status=MISTAKEN,
        )


BURNT = "If a real key was among the arguments, it is in the history now: make another one at the provider"


def looks_like_key(word: str) -> bool:
    """Whether an argument may well be a key."""
    return len(word) >= _SHORTEST_KEY and (word.startswith(_PREFIXES) or bool(_RARE_IN_NAMES.search(word)))


def placeholder_key(value: str | None, field: str) -> str | None:
    """What a placeholder has in place of the key. None: the value is no placeholder."""
    document = _object(value)
    if document is None or document.get(PLACEHOLDER_FIELD) is not True:
        return None
    return str(document.get(field))


def with_key(value: str | None, field: str, key: str, *, without: Sequence[str] = ()) -> str:
    """The value that holds another key: an object keeps its other fields, a plain text stays one.

    Args:
        value: that there is. None: none.
        field: of the object that holds the key.
        key: the new one.
        without: fields that say something about the old key alone. Default: none.
    """
    document = _object(value)
    if document is None:
        return key
    gone = {*without, PLACEHOLDER_FIELD} if document.get(PLACEHOLDER_FIELD) is True else set(without)
    kept = {name: text for name, text in document.items() if name not in gone}
    return json.dumps({**kept, field: key})


def _object(value: str | None) -> dict[str, object] | None:
    if value is None or not value.strip().startswith("{"):
        return None
    try:
        document: dict[str, object] = json.loads(value)
    except ValueError:
        return None
    return document
