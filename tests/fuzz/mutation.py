"""Changes of inputs that keep their structure: a change of random bytes would nearly always end at "not JSON"."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

_LETTERS = "cmrabdeghiklnostuwxfzBCDEFGHIJKLH0123456789"
_FIGURES = (0, 1, -1, 2, 17, 1e999, 2**63, 0.5, 4_000_000_000)
_DEEP = 400
_LINES = (b"id: 1", b"retry: 5", b": c", b"event: error", b"event: ping", b"data", b"data: {}", b"x: y")


class Mutator:
    """Changes inputs of one target.

    Args:
        kind: what their material is: `json`, `stream` or `http`.
        pool: inputs from which parts are taken.
        words: names and values to try.
    """

    def __init__(self, kind: str, pool: list[bytes], words: list[str]) -> None:
        self._change: Callable[[bytes, Random], bytes] = {
            "json": self._changed_json,
            "stream": self._changed_stream,
            "http": self._changed_http,
        }[kind]
        self._words = words
        self._pool = [data.partition(b"\n")[2] for data in pool]
        self._parts = [part for material in self._pool for part in self._parts_of(material, kind)]

    def mutated(self, data: bytes, random: Random) -> bytes:
        """An input that is a little different."""
        options, _, material = data.partition(b"\n")
        if random.random() < 0.25:
            options = self._changed_options(options, random)
        for _ in range(random.choice((1, 1, 2, 4))):
            material = self._change(material, random)
        return options + b"\n" + material

    def _changed_options(self, options: bytes, random: Random) -> bytes:
        text = list(options.decode("latin-1")[:16])
        at = random.randrange(len(text) + 1)
        match random.randrange(3):
            case 0:
                text.insert(at, random.choice(_LETTERS))
            case 1:
                text[at : at + 1] = random.choice(_LETTERS)
            case _:
                del text[at : at + 1]
        return "".join(text).encode("latin-1")

    def _parts_of(self, material: bytes, kind: str) -> list[Any]:
        """Values that may stand elsewhere, too."""
        parts: list[Any] = []
        texts = [material] if kind == "json" else [line.removeprefix(b"data: ") for line in material.split(b"\n")]
        for text in texts:
            document = _read(text)
            for holder, key in _places(document) if isinstance(document, dict | list) else ():
                parts.append(holder[key])
        return parts or [None]

    def _changed_json(self, material: bytes, random: Random) -> bytes:
        document = _read(material)
        if not isinstance(document, dict | list):
            return random.choice(self._pool)
        return _written(self._changed(document, random), random)

    def _changed(self, document: Any, random: Random) -> Any:
        places = _places(document)
        if not places:
            return {random.choice(self._words): self._value(random)}
        holder, key = random.choice(places)
        value = holder[key]
        inner = _read(value.encode()) if isinstance(value, str) and value[:1] in ("{", "[") and value.isascii() else None
        if isinstance(inner, dict | list) and random.random() < 0.8:  # JSON inside of a text
            holder[key] = _written(self._changed(inner, random), random).decode("utf-8", "replace")
            return document
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, _copy(random.choice((value, self._value(random)))))
            case 1:
                holder[random.choice(self._words)] = holder.pop(key)
            case 2:
                other, where = random.choice(places)
                holder[key] = _copy(other[where])
            case 3:
                holder[key] = self._value(random)
            case _:
                holder[key] = self._like(value, random)
        return document

    def _like(self, value: Any, random: Random) -> Any:
        """A value that is a little different."""
        if random.random() < 0.01:
            for _ in range(_DEEP):
                value = [value]
        elif isinstance(value, dict):
            value[random.choice(self._words)] = self._value(random)
        elif isinstance(value, list):
            random.shuffle(value)
        elif isinstance(value, str):
            at = random.randrange(len(value) + 1)
            return value[:at] + random.choice(self._words) + value[at + random.randrange(3) :]
        else:
            return self._value(random)
        return value

    def _value(self, random: Random) -> Any:
        match random.randrange(7):
            case 0:
                return random.choice((None, True, False))
            case 1:
                return random.choice(_FIGURES)
            case 2:
                return random.choice(({}, [], [None], [{}], {"type": random.choice(self._words)}))
            case 3 | 4:
                return _copy(random.choice(self._parts))
        return random.choice(self._words)

    def _changed_stream(self, material: bytes, random: Random) -> bytes:
        if material[:1] == b"{":
            return self._changed_json(material, random)
        if random.random() < 0.1:
            return self._spelled(material, random)
        events = material.split(b"\n\n")
        at = random.randrange(len(events))
        event = events[at]
        match random.randrange(9):
            case 0:
                del events[at]
            case 1:
                events.insert(at, random.choice((event, random.choice(random.choice(self._pool).split(b"\n\n")))))
            case 2:
                events[at], events[-1] = events[-1], event
            case 3:
                events[at:] = [event[: random.randrange(len(event) + 1)]]
            case 4:
                line = random.choice(_LINES)
                events[at] = random.choice((line + b"\n" + event, event + b"\n" + line, line))
            case _:
                head, mark, text = event.partition(b"data: ")
                document = _read(text)
                if mark and isinstance(document, dict | list):
                    events[at] = head + mark + _written(self._changed(document, random), random)
        return b"\n\n".join(events)

    def _spelled(self, material: bytes, random: Random) -> bytes:
        """The same stream with other endings, or its beginning or its end another."""
        ending = random.choice((b"\r\n", b"\r"))
        return random.choice(
            (
                material.replace(b"\n", ending, random.choice((-1, 1, 3))),
                b"\xef\xbb\xbf" + material,
                material + b"\n",
                material.rstrip(),
                random.choice(self._pool),
            )
        )

    def _changed_http(self, material: bytes, random: Random) -> bytes:
        lines = material.split(b"\r\n")
        at = random.randrange(len(lines))
        line = lines[at]
        other = random.choice(random.choice(self._pool).split(b"\r\n"))
        match random.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, random.choice((line, other)))
            case 2:
                lines[at] = other
            case 3:
                name, _, value = line.partition(b":")
                lines[at] = random.choice((line.upper(), name + b":" + value + b", " + value, b" " + line, line + b" "))
            case 4:
                lines[at] = b"%x" % random.choice((0, 1, 5, len(lines[(at + 1) % len(lines)]), 2**70))
            case 5:
                place = random.randrange(len(line) + 1)
                word = random.choice(self._words).encode("utf-8", "replace")
                lines[at] = line[:place] + word + line[place + random.randrange(3) :]
            case 6:
                return material[: random.randrange(len(material) + 1)]
            case 7:
                return material + random.choice(self._pool)
            case _:
                return material.replace(b"\r\n", b"\n", 1) if random.random() < 0.2 else material + line
        return b"\r\n".join(lines)


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _copy(value: Any) -> Any:
    """A value like it; nothing instead of one that is too deep."""
    try:
        return json.loads(json.dumps(value))
    except (ValueError, RecursionError):
        return None


def _places(document: Any) -> list[tuple[Any, Any]]:
    """All places of values in a document: what holds each, and where."""
    places: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return places


def _written(document: Any, random: Random) -> bytes:
    separators = random.choice(((",", ":"), (", ", ": ")))
    try:
        text = json.dumps(document, separators=separators, ensure_ascii=random.random() < 0.7)
    except (ValueError, RecursionError):
        return b"{}"
    return text.replace("Infinity", "1e999").encode("utf-8", "replace")
