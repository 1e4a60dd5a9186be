"""An upstream's stream relayed in its own format: cut anywhere it is the same, and nothing is made up, torn or lost."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.config import Operation
from lambda_runtime.streams.event_stream import EventStream
from lambda_runtime.streams.readers import reader_for
from lambda_runtime.streams.sse import EventSplitter, Fields, is_void, without_id
from tests.fuzz.ends import OPERATIONS, document_of, is_end, says_why
from tests.fuzz.inputs import BOM, chosen, cut, data_of, events_in, name_of, standard, taken_apart
from tests.fuzz.inputs import Fields as Lines

KIND = "stream"
SOURCES = ("lambda_runtime/streams",)
OUTCOMES = frozenset({"complete", "finished", "error", "broken", "nothing"})


def check(data: bytes) -> str:
    """What the client gets of a stream."""
    options, material = taken_apart(data)
    operation = OPERATIONS[chosen(options, "cmr", "c")]
    choices = 2 if "n" in options else 1
    hide = "h" in options
    pieces = cut(options, material)
    _events_are_the_standards(pieces, material)
    whole, given = _relayed([material], operation, choices, hide=hide)
    other, cut_up = _relayed(pieces, operation, choices, hide=hide)
    # The ending that an event gets is the stream's last one, so that only streams of one kind of endings are the same bytes.
    assert events_in(cut_up) == events_in(given)
    if b"\r" not in material:
        assert cut_up == given
    assert _state(other) == _state(whole)
    _is_what_was_said(material, given, operation, hide=hide)
    assert len(given) <= 2 * len(material) + 64
    return _ending(whole, material, given, operation, choices)


def _relayed(pieces: list[bytes], operation: Operation, choices: int, *, hide: bool) -> tuple[EventStream, bytes]:
    stream = EventStream(reader_for(operation, choices), hide_usage=hide)
    given = b"".join([*map(stream.feed, pieces), stream.finish()])
    assert stream.finish() == b""
    return stream, given


def _state(stream: EventStream) -> tuple[Any, ...]:
    reader = stream.reader
    usage = reader.usage(400)
    assert min(usage[:5]) >= 0
    kept = reader.content, reader.finished, reader.complete, reader.filtered, reader.clear, reader.malformed
    return (*kept, json.dumps(reader.error), usage, stream.over, stream.untold)


def _events_are_the_standards(pieces: list[bytes], material: bytes) -> None:
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    events = [event for event in [*events, splitter.finish()] if event]
    read = standard(material)
    assert [events_in(event) for event in events] == [[event] for event in read]
    for raw, event in zip(events, read, strict=True):
        fields = Fields(raw)
        data = data_of(event)
        assert fields.data == (None if data is None else data.encode("utf-8", "surrogateescape"))
        assert fields.name == name_of(event).encode("utf-8", "surrogateescape")
        assert is_void(raw) == (data is None and any(name for name, _ in event))
        assert [_without_ids(kept) for kept in events_in(without_id(raw))] in ([_without_ids(event)], [])


def _without_ids(event: Lines) -> Lines:
    return [line for line in event if line[0] != "id"]


def _ids(event: Lines) -> Lines:
    """Ids that are some: one that is empty is none to the SDKs either."""
    return [line for line in event if line[0] == "id" and line[1]]


def _is_what_was_said(material: bytes, given: bytes, operation: Operation, *, hide: bool) -> None:
    """Each event is one of the upstream's, in its order; one that is missing could not be passed on."""
    said = iter(standard(material))
    gets = events_in(given)
    terminator = standard(reader_for(operation, 1).terminator)
    for index, event in enumerate(gets):
        assert not _ids(event)
        for one in said:
            if _without_ids(one) == _without_ids(event):
                break
            document = document_of(data_of(one))
            may_go = document is None or (hide and bool(document.get("usage")) and not document.get("choices"))
            assert may_go, one
        else:
            assert index == len(gets) - 1
            assert [event] == terminator
    # Where nothing has to be changed, the bytes are the very same.
    plain = [event for event in material.removeprefix(BOM).rstrip(b"\n").split(b"\n\n") if event]
    kept = given.split(b"\n\n")
    if b"\r" not in material and b"id" not in material:
        rest = iter(plain)
        assert all(event in rest for event in kept[: -1 - bool(gets and [gets[-1]] == terminator)])


def _ending(stream: EventStream, material: bytes, given: bytes, operation: Operation, choices: int) -> str:
    reader = stream.reader
    read = [(name_of(event), data_of(event)) for event in standard(material)]
    documents = [document for document in (document_of(data) for _, data in read) if document is not None]
    terminated = any(is_end(name, data, operation) for name, data in read)
    finished = says_why(documents, choices)
    last = (events_in(given) or [[]])[-1]
    whole = is_end(name_of(last), data_of(last), operation, to_anybody=True)
    # The one rule above all: what is not whole does not look so.
    assert not whole or terminated or finished
    if reader.error is not None:
        assert stream.over or reader.complete
        return "error"
    if reader.complete:
        assert is_end(name_of(last), data_of(last), operation)
        return "complete" if terminated else "finished"
    assert not whole
    return "broken" if reader.content else "nothing"
