"""The fate of a request's fields that have no counterpart in the other format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import EMPTY, Dropped


class Refusal(NamedTuple):
    """Why a field is a 400.

    Args:
        counts: whether a value asks for anything. One that does not is left out without a word.
        what: what cannot be done, as a sentence without its full stop.
        way_out: what to do instead, likewise.
    """

    counts: Callable[[Any], bool]
    what: str
    way_out: str


def judge(
    body: dict[str, Any],
    dropped: Dropped,
    *,
    translated: Collection[str],
    refused: Mapping[str, Refusal],
    dropped_ones: Mapping[str, tuple[Any, ...]],
) -> None:
    """Refuse or note each field of a request that is not translated.

    Args:
        body: the client's request.
        dropped: collects what is left out.
        translated: names of the fields that are translated.
        refused: fields without which the answer would be another in kind.
        dropped_ones: fields that are left out, with the values of which nothing is lost.

    Raises:
        UntranslatableError: for the first field that is refused.
    """
    for name, value in body.items():
        if value is None or name in translated:
            continue
        refusal = refused.get(name)
        if refusal is None:
            if value not in EMPTY and value not in dropped_ones.get(name, ()):
                dropped.add(name)
        elif refusal.counts(value):
            raise UntranslatableError(name, refusal.what, refusal.way_out)
