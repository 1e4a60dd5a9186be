"""Cutting a stream into events: wherever the network cuts it, the events are the same."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.streams import sse
from lambda_runtime.streams.sse import EventSplitter, EventTooLongError, Fields, is_void, without_id
from tests.lambda_runtime.streams.splits import BOM, cut, streams


def events_of(pieces: list[bytes]) -> list[bytes]:
    """All events, the last one included if only its ending is missing."""
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    rest = splitter.finish()
    return [*events, rest] if rest else events


def standard(whole: bytes) -> list[list[tuple[str, str]]]:
    """What the HTML standard reads out of a stream: each event's fields. Written after its text, line by line."""
    events: list[list[tuple[str, str]]] = []
    fields: list[tuple[str, str]] = []
    for line in re.split("\r\n|\n|\r", whole.removeprefix(BOM).decode()):
        if not line:
            events.append(fields)
            fields = []
            continue
        name, _, value = line.partition(":")
        fields.append((name, value.removeprefix(" ")))
    return [event for event in [*events, fields] if event]


def fields_of(event: bytes) -> list[tuple[str, str]]:
    lines = (line.partition(":") for line in re.split("\r\n|\n|\r", event.decode()) if line)
    return [(name, value.removeprefix(" ")) for name, _, value in lines]


@given(whole=streams(), data=st.data())
def test_every_split_gives_the_same_events(whole: bytes, data: st.DataObject) -> None:
    assert events_of(cut(data, whole)) == events_of([whole])


@given(whole=streams())
def test_events_are_the_standards(whole: bytes) -> None:
    found = [fields_of(event) for event in events_of([whole])]
    assert [event for event in found if event] == standard(whole)


@given(whole=streams())
def test_byte_by_byte(whole: bytes) -> None:
    assert events_of([whole[at : at + 1] for at in range(len(whole))]) == events_of([whole])


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_an_event_is_given_when_its_ending_has_come(ending: bytes) -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: 1" + ending) == []
    got = splitter.feed(ending)
    # A lone CR may be half of a CR LF: it counts when something else follows.
    assert got == ([] if ending == b"\r" else [b"data: 1"])
    assert splitter.feed(b"data: 2") == ([b"data: 1"] if ending == b"\r" else [])
    assert splitter.ending == ending * 2
    assert splitter.finish() == b"data: 2"


@pytest.mark.parametrize(
    "pieces",
    [
        [BOM + b"data: 1\n\n"],
        [BOM[:1], BOM[1:] + b"data: 1\n\n"],
        [b"", *[BOM[i : i + 1] for i in range(3)], b"", b"data: 1\n\n"],
    ],
)
def test_a_byte_order_mark_is_taken_away(pieces: list[bytes]) -> None:
    assert events_of(pieces) == [b"data: 1"]


def test_only_the_first_byte_order_mark_is_one() -> None:
    assert events_of([BOM + BOM + b"data: 1\n\n" + BOM + b"data: 2\n\n"]) == [BOM + b"data: 1", BOM + b"data: 2"]


def test_half_a_byte_order_mark_is_none() -> None:
    assert events_of([BOM[:2], b"x\n\n"]) == [BOM[:2] + b"x"]
    assert events_of([BOM[:2]]) == [BOM[:2]]


@pytest.mark.parametrize(
    ("inside", "ending"),
    [(b"x", b"\n\n"), (b"x", b"\r\n\r\n"), (b"x", b"\r\r"), (b"x" * 60 + b"\r\n", b"\n\n"), (b"x\r", b"\r\r")],
)
def test_a_huge_event_takes_linear_time(inside: bytes, ending: bytes) -> None:
    """In pieces of 16 KB, as they are read: a byte of 8 MB may not cost much more than a byte of half of one."""

    def seconds(size: int) -> float:
        event = b"data: " + (inside * (size // len(inside) + 1))[:size] + b"z"
        whole = event + ending + b":"
        splitter = EventSplitter()
        began = time.process_time()
        events = [found for at in range(0, len(whole), 16384) for found in splitter.feed(whole[at : at + 16384])]
        took = time.process_time() - began
        assert events == [event]
        return took

    small = min(seconds(1 << 19) for _ in range(3))
    assert seconds(1 << 23) < max(small * 16 * 4, 0.25)


def test_an_event_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 1000)
    splitter = EventSplitter()
    assert splitter.feed(b"data: " + b"x" * 500 + b"\n\n" + b"y" * 900) == [b"data: " + b"x" * 500]
    with pytest.raises(EventTooLongError):
        splitter.feed(b"y" * 101)


def test_many_events_of_half_the_length_are_not_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 100)
    splitter = EventSplitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 30) == []
        assert len(splitter.feed(b"y\n\n" + b"z" * 20)) == 1
        assert len(splitter.feed(b"\n\n")) == 1


@pytest.mark.parametrize(
    ("raw", "name", "data"),
    [
        (b"data: x", b"", b"x"),
        (b"data:x", b"", b"x"),
        (b"data:  x", b"", b" x"),
        (b"data", b"", b""),
        (b"data:", b"", b""),
        (b"event: e\ndata: a\r\ndata: b\rdata:c", b"e", b"a\nb\nc"),
        (b": data: x", b"", None),
        (b"event: e", b"e", None),
        (b"id: 5\nevent:e\nxdata: 1", b"e", None),
        (b"\ndata: x", b"", b"x"),
        (b"", b"", None),
    ],
)
def test_fields(raw: bytes, name: bytes, data: bytes | None) -> None:
    fields = Fields(raw)
    assert (fields.name, fields.data) == (name, data)


@pytest.mark.parametrize(
    ("raw", "void"),
    [
        (b": comment", False),
        (b": one\n: two", False),
        (b":", False),
        (b"data: x", False),
        (b"data:", False),
        (b"retry: 3000", True),
        (b"event: message_stop", True),
        (b"id: 7", True),
        (b": comment\nevent: x", True),
        (b"nonsense", True),
    ],
)
def test_events_without_data(raw: bytes, void: bool) -> None:
    assert is_void(raw) is void


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_id_lines_are_taken_away(ending: bytes) -> None:
    raw = ending.join([b"id: 5", b"event: e", b"id", b"data: id: 6", b"identity: 1", b"id:"])
    assert without_id(raw) == ending.join([b"event: e", b"id", b"data: id: 6", b"identity: 1"])
    assert without_id(b"id: 5") == b""
