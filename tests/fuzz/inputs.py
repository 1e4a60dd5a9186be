"""What all targets' inputs look like: a line of options, then the material. Text as far as it goes, for people to read."""

from __future__ import annotations

import re

MOST_PIECES = 200
"""Pieces that an input is cut into; what is left then is one more. More would only be slow."""

BOM = b"\xef\xbb\xbf"

Fields = list[tuple[str, str]]
"""Names and values of one event's lines, in their order. A comment's name is empty."""


def taken_apart(data: bytes) -> tuple[str, bytes]:
    """The options and the material."""
    options, _, material = data.partition(b"\n")
    return options[:64].decode("latin-1"), material


def chosen(options: str, words: str, default: str) -> str:
    """The first of some letters that the options hold."""
    return next((letter for letter in options if letter in words), default)


def cut(options: str, material: bytes) -> list[bytes]:
    """The material in pieces as long as the digits of the options say, over and over; 0 is 50. Whole without a digit."""
    sizes = [int(digit) or 50 for digit in options if digit in "0123456789"]
    pieces: list[bytes] = []
    at = 0
    while sizes and at < len(material) and len(pieces) < MOST_PIECES:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(material[at : at + size])
        at += size
    return [*pieces, material[at:]] if at < len(material) else pieces


def standard(stream: bytes) -> list[Fields]:
    """The events of a stream as the HTML standard reads them, one that lacks its ending included."""
    return events_in(stream.removeprefix(BOM))


def events_in(part: bytes) -> list[Fields]:
    """The events in a part of a stream that is not its beginning."""
    events: list[Fields] = []
    fields: Fields = []
    for line in re.split("\r\n|\n|\r", part.decode("utf-8", "surrogateescape")):
        if line:
            name, _, value = line.partition(":")
            fields.append((name, value.removeprefix(" ")))
        elif fields:
            events.append(fields)
            fields = []
    return [*events, fields] if fields else events


def data_of(event: Fields) -> str | None:
    """An event's data, or None if it has none."""
    lines = [value for name, value in event if name == "data"]
    return "\n".join(lines) if lines else None


def name_of(event: Fields) -> str:
    """An event's name; empty if it has none."""
    return next((value for name, value in reversed(event) if name == "event"), "")
