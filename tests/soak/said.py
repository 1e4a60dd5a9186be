"""What an upstream says to a request: text that carries who says it, to which request, its figures and its checksum. Pure.

So a client can tell by the text alone that it has all of it, that it is its own, and what it has cost.
"""

from __future__ import annotations

import re
import zlib
from typing import NamedTuple

from tests.soak.draws import draws

_MARK = re.compile(rb"\[\[(\d+)\.(\d+)\.(\d+)\.(\d+)\]\]")
_TEXT = re.compile(r"<(\d+) ([a-z]+)>.*<(\d+(?:,\d+){4}) ([0-9a-f]{8})>", re.DOTALL)


class Wish(NamedTuple):
    """What a request says about the answer that it wants. It is a part of its text, so that it outlives a translation.

    Args:
        serial: number of the request.
        pieces: how many pieces of text.
        size: characters of each, about.
        hold: milliseconds before the answer begins.
    """

    serial: int
    pieces: int
    size: int
    hold: int = 0

    def __str__(self) -> str:
        return f"[[{'.'.join(map(str, self))}]]"

    @classmethod
    def of(cls, body: bytes) -> Wish:
        """The one in a request."""
        found = _MARK.search(body)
        assert found, body[:200]
        return cls(*map(int, found.groups()))


class Figures(NamedTuple):
    """Tokens, as `lambda_runtime.usage.Usage` has them."""

    input: int
    output: int
    cached: int
    cache_write: int
    reasoning: int


def figures(state: int, serial: int, *, messages: bool) -> Figures:
    """What the answer to a request costs, whoever gives it.

    Args:
        state: initial state of the run's random numbers.
        serial: number of the request.
        messages: whether the upstream speaks Anthropic's format. Each format has figures that the other has not.
    """
    random = draws(state, "figures", serial)
    read, written = random.randint(10, 9_000), random.randint(4, 900)
    cached, other = random.choice((0, read // 3)), random.choice((0, 7))
    return Figures(read, written, cached, other if messages else 0, 0 if messages else min(written, other))


def pieces_of(state: int, wish: Wish, upstream: str, *, messages: bool) -> list[str]:
    """The text, piece by piece: at least four, of which the third quarter begins with a letter of four bytes.

    Args:
        state: initial state of the run's random numbers.
        wish: what the request says.
        upstream: who speaks.
        messages: whether in Anthropic's format.
    """
    filler = "Grüße aus 東京 " * (wish.size // 13 + 1)
    said = [f"{number} {filler[: wish.size]} " for number in range(max(4, wish.pieces))]
    said[0] = f"<{wish.serial} {upstream}>{said[0]}"
    said[quarters(len(said))[2]] = "🚄 " + said[quarters(len(said))[2]]
    told = ",".join(map(str, figures(state, wish.serial, messages=messages)))
    said[-1] += f"<{told} {zlib.crc32(''.join(said).encode()):08x}>"
    return said


def quarters(count: int) -> list[int]:
    """Where each quarter of so many pieces begins, and the end."""
    return [count * quarter // 4 for quarter in range(5)]


def heard(text: str, serial: int) -> tuple[str, Figures]:
    """Who has said it, and its figures.

    Raises:
        ValueError: if it is not all of the answer to that request.
    """
    found = _TEXT.fullmatch(text)
    if not found:
        raise ValueError(f"not a whole text: {text[:60]!r} … {text[-60:]!r}")
    if int(found[1]) != serial:
        raise ValueError(f"said to request {found[1]}")
    before = text[: found.start(3) - 1]
    if zlib.crc32(before.encode()) != int(found[4], 16):
        raise ValueError(f"its checksum is wrong: {text[:60]!r} … {text[-60:]!r}")
    return found[2], Figures(*map(int, found[3].split(",")))


def is_beginning(text: str, serial: int) -> bool:
    """Whether text may be the beginning of an answer to that request, as far as its first piece tells."""
    begin = f"<{serial} "
    return text.startswith(begin[: len(text)]) if len(text) < len(begin) else text.startswith(begin)
