"""A stream on its way to the client: whole events only, unchanged but for what would harm the client."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.streams.chat import ChatReader
from lambda_runtime.streams.event_stream import EventStream, heartbeat
from lambda_runtime.streams.readers import reader_for
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, CHAT_USAGE, MESSAGES, MESSAGES_STREAM, RESPONSES, STREAMS
from tests.lambda_runtime.streams.splits import cut, streams
from tests.lambda_runtime.streams.test_sse import fields_of, standard

CONTENT = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}'


def stream_of(operation: Operation = CHAT, *, choices: int = 1, hide_usage: bool = False) -> EventStream:
    return EventStream(reader_for(operation, choices), hide_usage=hide_usage)


def passed(stream: EventStream, pieces: list[bytes]) -> bytes:
    return b"".join([*map(stream.feed, pieces), stream.finish()])


@pytest.mark.parametrize("operation", list(STREAMS))
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@given(data=st.data())
def test_every_split_of_a_whole_stream_gives_its_bytes(operation: Operation, ending: bytes, data: st.DataObject) -> None:
    whole = b"".join(STREAMS[operation]).replace(b"\n", ending)
    stream = stream_of(operation)
    pieces = cut(data, whole)
    given_out = [stream.feed(piece) for piece in pieces]
    assert b"".join(given_out) == whole
    assert all(piece.endswith(ending * 2) for piece in given_out if piece)
    assert stream.over
    assert stream.finish() == b""
    assert stream.feed(b"data: more\n\n") == b""


@given(whole=streams(), data=st.data(), operation=st.sampled_from(list(STREAMS)), hide=st.booleans())
def test_every_split_of_any_stream_means_the_same(whole: bytes, data: st.DataObject, operation: Operation, hide: bool) -> None:
    once, pieces = stream_of(operation, hide_usage=hide), stream_of(operation, hide_usage=hide)
    assert standard(passed(pieces, cut(data, whole))) == standard(passed(once, [whole]))
    assert (pieces.over, pieces.reader.malformed) == (once.over, once.reader.malformed)
    assert pieces.reader.usage(40) == once.reader.usage(40)


@given(whole=streams(), data=st.data())
def test_what_is_passed_on_was_said(whole: bytes, data: st.DataObject) -> None:
    """Nothing is made up or torn: each event of the client's is one of the upstream's, in its order, without ids."""
    said = iter([[field for field in event if field[0] != "id"] for event in standard(whole)])
    for event in standard(passed(stream_of(), cut(data, whole))):
        assert event in said


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_ids_are_taken_out(ending: bytes) -> None:
    stream = stream_of()
    first = b"id: 1" + ending + CONTENT + ending + b"id:"
    got = passed(
        stream, [first + ending * 2, b"id: 2" + ending * 2, CONTENT + ending + b"id: 3" + ending * 2, b":" + ending * 2]
    )
    assert got == (CONTENT + ending * 2) * 2 + b":" + ending * 2


def test_an_id_in_a_text_stays() -> None:
    event = CONTENT.replace(b'"x"', b'"id: 5 and \\nid: 6"') + b"\n\n"
    assert passed(stream_of(), [event]) == event


@pytest.mark.parametrize("void", [b"retry: 3000", b"event: ping", b"id: 4", b"data", b"data:", b": c\nevent: x", b""])
def test_events_without_data_are_dropped(void: bytes) -> None:
    """OpenAI's and Anthropic's SDKs parse their empty data as JSON, and fail."""
    for operation in STREAMS:
        whole = b"".join(STREAMS[operation])
        assert passed(stream_of(operation), [void + b"\n\n" + whole]) == whole


def test_comments_and_pings_pass() -> None:
    whole = b": hello\n\n" + b"".join(CHAT_STREAM)
    assert passed(stream_of(), [whole]) == whole
    assert MESSAGES_STREAM[1] in passed(stream_of(MESSAGES), [b"".join(MESSAGES_STREAM)])


@pytest.mark.parametrize(
    "malformed", [b"data: {", b"data: nonsense", b"data: [1]", b'data: "text"', b"data: 5", b"data: \xff{}", b'data: {"a":1}{}']
)
def test_what_is_not_json_is_dropped_and_counted(malformed: bytes) -> None:
    for operation, events in STREAMS.items():
        stream = stream_of(operation)
        whole = b"".join(events)
        assert passed(stream, [malformed + b"\n\n" + events[0], malformed + b"\n\n" + b"".join(events[1:])]) == whole
        assert stream.reader.malformed == 2


def test_unknown_events_and_fields_pass() -> None:
    for operation, events in STREAMS.items():
        strange = b'event: from.the.future\ndata: {"type":"from.the.future","x":[null]}\nmore: 5\n\n'
        whole = events[0] + strange + b"".join(events[1:])
        assert passed(stream_of(operation), [whole]) == whole


@pytest.mark.parametrize("hide", [True, False])
@pytest.mark.parametrize(
    "usage", [CHAT_USAGE, CHAT_USAGE.replace(b'"choices":[],', b'"choices": [] ,').replace(b"data: ", b"data:")]
)
def test_usage_that_only_the_gateway_asked_for_is_hidden(hide: bool, usage: bytes) -> None:
    stream = stream_of(hide_usage=hide)
    got = passed(stream, [b"".join(CHAT_STREAM[:-1]) + usage + CHAT_STREAM[-1]])
    assert got == b"".join(CHAT_STREAM[:-1]) + (b"" if hide else usage) + CHAT_STREAM[-1]
    assert stream.reader.usage(0)[:2] == (11, 7)


def test_hiding_hides_nothing_else() -> None:
    """Azure begins with a chunk without choices; some relays put the figures into the last chunk with content."""
    filters = b'data: {"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":null}\n\n'
    last = b'data: {"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}\n\n'
    whole = filters + CHAT_STREAM[1] + last + CHAT_STREAM[-1]
    stream = stream_of(hide_usage=True)
    assert passed(stream, [whole]) == whole
    assert stream.reader.usage(0).input_tokens == 1


def test_nothing_follows_the_terminator_or_an_error() -> None:
    for operation, events in STREAMS.items():
        stream = stream_of(operation)
        assert passed(stream, [b"".join(events) + events[0] + b"data: half"]) == b"".join(events)
        error = b'event: error\ndata: {"type":"error","error":{"message":"m"}}\n\n'
        stream = stream_of(operation)
        assert passed(stream, [events[0] + error + events[-1]]) == events[0] + error
        assert stream.over
        assert stream.reader.error == {"message": "m"}


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r", b"\r\n"])
def test_a_last_event_that_lacks_its_ending_is_taken(ending: bytes) -> None:
    for operation, events in STREAMS.items():
        stream = stream_of(operation)
        assert passed(stream, [b"".join(events).rstrip() + ending]) == b"".join(events)
        assert stream.over


def test_half_an_event_is_dropped() -> None:
    for operation, events in STREAMS.items():
        whole = b"".join(events[:-1])
        for length in range(1, len(events[-1]) - 3):
            stream = stream_of(operation)
            got = passed(stream, [whole + events[-1][:length]])
            # Where the reason to end was said the terminator is added, so that the half of it does not show.
            assert got == (whole if operation is Operation.RESPONSES else b"".join(events)), length
            assert not stream.reader.complete or operation is not Operation.RESPONSES


class Upper:
    """A translator that shows what it was given."""

    def feed(self, event: dict[str, Any]) -> bytes:
        return b"<" + ",".join(event).encode() + b">"

    def finish(self) -> bytes:
        return b"<end>"


@pytest.mark.parametrize("ended", [True, False])
def test_a_translator_sees_json_that_is_no_error(ended: bool) -> None:
    stream = EventStream(ChatReader(), Upper(), hide_usage=True)
    noise = b": hello\n\ndata: {\n\nid: 5\n\n"
    whole = noise + b"".join(CHAT_STREAM[:-1]) + CHAT_USAGE + (CHAT_STREAM[-1] * 2 if ended else b"")
    assert passed(stream, [whole]) == b"<id,model,choices><id,choices><choices><id,choices><id,choices,usage><end>"
    stream = EventStream(ChatReader(), Upper())
    assert passed(stream, [CHAT_STREAM[1] + b'data: {"error":"no"}\n\n' + CHAT_STREAM[1]]) == b"<id,choices>"
    assert stream.reader.error == "no"


def test_a_translation_that_is_not_complete_is_not_finished() -> None:
    assert passed(EventStream(ChatReader(), Upper()), [CHAT_STREAM[1]]) == b"<id,choices>"


def test_events_of_a_third_format_are_not_translated() -> None:
    """The client would get an empty answer that looks whole."""
    responses = [b"".join(STREAMS[RESPONSES])]
    stream = EventStream(ChatReader(), Upper())
    assert passed(stream, responses) == b""
    assert (stream.over, stream.untold, stream.reader.complete) == (True, True, False)
    stream = EventStream(ChatReader(), Upper())
    assert passed(stream, [CHAT_STREAM[1], *responses]) == b"<id,choices>"
    assert stream.untold
    assert passed(stream_of(), responses) == responses[0]  # in its own format it is the client's to read


def test_heartbeats_are_whole_events_that_say_nothing() -> None:
    for operation, wire_format in ((CHAT, WireFormat.OPENAI), (MESSAGES, WireFormat.ANTHROPIC)):
        beat = heartbeat(wire_format)
        stream = stream_of(operation)
        assert passed(stream, [beat]) == beat
        assert not stream.reader.content
    assert fields_of(heartbeat(WireFormat.ANTHROPIC)) == [("event", "ping"), ("data", '{"type":"ping"}')]


@pytest.mark.parametrize(
    ("operation", "error", "clear"),
    [
        (CHAT, b'data: {"error":{"message":"m"}}', True),
        (CHAT, b'event: error\ndata: {"error":"m"}', True),
        (CHAT, b'event: error\ndata: {"type":"error","message":"m"}', False),
        (CHAT, b'data: {"type":"response.failed","response":{"error":{"message":"m"}}}', False),
        (MESSAGES, b'event: error\ndata: {"type":"error","error":{"message":"m"}}', True),
        (MESSAGES, b'data: {"type":"error","error":{"message":"m"}}', False),
        (RESPONSES, b'data: {"type":"error","message":"m"}', True),
        (RESPONSES, b'data: {"type":"response.failed","response":{}}', True),
    ],
)
def test_an_error_that_no_sdk_raises_on_is_not_passed_on(operation: Operation, error: bytes, clear: bool) -> None:
    """It would be taken for a part of the answer, or for nothing: whoever relays the stream says it in its own words."""
    stream = stream_of(operation)
    content = STREAMS[operation][2 if operation is MESSAGES else 1]
    assert passed(stream, [content + error + b"\n\n" + content]) == content + (error + b"\n\n" if clear else b"")
    assert stream.reader.error is not None
    assert stream.untold is not clear
