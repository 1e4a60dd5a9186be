"""What the events of each format mean: content, frames, fillers, figures, ends and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import Operation
from lambda_runtime.streams.chat import ChatReader
from lambda_runtime.streams.messages import MessagesReader
from lambda_runtime.streams.readers import EventReader, Mark, reader_for
from lambda_runtime.streams.responses import ResponsesReader
from lambda_runtime.usage import Usage
from tests.lambda_runtime.samples import CHAT, MESSAGES, MESSAGES_STREAM, RESPONSES, RESPONSES_STREAM, STREAMS


def data(document: Any, name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(document).encode()


def chunk(delta: Any, finish: str | None = None, **more: Any) -> bytes:
    return data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def typed(kind: str, **fields: Any) -> bytes:
    return data({"type": kind, **fields}, kind)


SPELLINGS = [
    lambda raw: raw,
    lambda raw: raw.replace(b"data: ", b"data:"),
    lambda raw: raw.replace(b"data: ", b"data:  "),
    lambda raw: b": comment\n" + raw,
    lambda raw: raw + b"\nid: 5",
    lambda raw: raw.replace(b"\n", b"\r\n"),
    lambda raw: raw.replace(b'"}', b'"\ndata: }', 1) if b"\n" not in raw else raw,
    lambda raw: raw + b" ",
]


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize(
    ("raw", "mark"),
    [
        (chunk({"content": "x"}), Mark.CONTENT),
        (chunk({"content": " "}), Mark.CONTENT),
        (chunk({"role": "assistant", "content": "x"}, "stop"), Mark.CONTENT),
        (chunk({"tool_calls": [{"index": 0, "function": {"arguments": ""}}]}), Mark.CONTENT),
        (chunk({"function_call": {"name": "f"}}), Mark.CONTENT),
        (chunk({"reasoning_content": "hm", "content": None}), Mark.CONTENT),
        (chunk({"refusal": "no"}), Mark.CONTENT),
        (chunk({"content": "x"}, error=None), Mark.CONTENT),
        (data({"choices": [{"delta": {}}, {"delta": {"content": "second"}}]}), Mark.CONTENT),
        (chunk({"role": "assistant"}), Mark.FRAME),
        (chunk({"role": "assistant", "content": "", "refusal": None, "tool_calls": []}), Mark.FRAME),
        (chunk({}, "stop"), Mark.FRAME),
        (chunk(None, "stop"), Mark.FRAME),
        (data({"choices": [], "usage": None, "prompt_filter_results": []}), Mark.FRAME),
        (data({"object": "something.new"}), Mark.FRAME),
        (data({"choices": [], "usage": {"prompt_tokens": 1}}), Mark.USAGE),
        (b"data: [DONE]", Mark.END),
        (data({"error": {"message": "m"}}), Mark.ERROR),
        (data({"error": "m"}), Mark.ERROR),
        (data({"error": {"message": "m"}, "choices": [{"delta": {"content": "x"}}]}), Mark.ERROR),
        (data({"type": "error", "message": "m"}, "error"), Mark.ERROR),
        (b": comment", Mark.FILLER),
        (b"event: x", Mark.FILLER),
        (b"", Mark.FILLER),
        (b"data: {", Mark.MALFORMED),
        (b"data:", Mark.MALFORMED),
    ],
)
def test_chat_events(raw: bytes, mark: Mark, spelled: Any) -> None:
    reader = ChatReader()
    assert reader.read(spelled(raw)) is mark
    assert reader.content is (mark is Mark.CONTENT)
    assert reader.complete is (mark is Mark.END)
    assert (reader.error is not None) is (mark is Mark.ERROR)
    assert reader.malformed == (mark is Mark.MALFORMED)


@pytest.mark.parametrize(
    "choices", [5, True, "text", [5], [None], [[]], {"a": 1}, [{"delta": "x"}], [{"delta": [1]}], [{"delta": 5}]]
)
def test_what_is_no_chunk_is_the_clients_to_judge(choices: Any) -> None:
    reader = ChatReader()
    assert reader.read(data({"choices": choices})) is Mark.FRAME
    assert not reader.content


@pytest.mark.parametrize("before", [b"\rdata: {", b"\ndata:{"])
def test_all_lines_of_data_of_a_message_count(before: bytes) -> None:
    reader = MessagesReader()
    assert reader.read(b"event: content_block_delta" + before + b'\ndata: {"type":"content_block_delta"}') is Mark.MALFORMED
    assert not reader.content


@pytest.mark.parametrize("index", [[], {}, None, "0", 1.5])
def test_an_odd_index_breaks_nothing(index: Any) -> None:
    reader = ChatReader()
    assert reader.read(data({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]})) is Mark.FRAME


def test_a_chat_stream_is_finished_when_each_choice_is() -> None:
    reader = ChatReader(choices=2)
    for index in (0, 0, 1):
        assert not reader.finished
        reader.read(data({"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": "stop"}]}))
    assert reader.finished
    assert not reader.complete
    both = ChatReader(choices=2)
    both.read(data({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"} for index in (0, 1)]}))
    assert both.finished


@pytest.mark.parametrize(("reason", "filtered"), [("content_filter", True), ("stop", False), ("length", False)])
def test_a_content_filter_is_noticed(reason: str, filtered: bool) -> None:
    reader = ChatReader()
    reader.read(chunk({}, reason))
    assert (reader.finished, reader.filtered) == (True, filtered)
    messages = MessagesReader()
    messages.read(typed("message_delta", delta={"stop_reason": "refusal" if filtered else "end_turn"}))
    assert (messages.finished, messages.filtered) == (True, filtered)
    responses = ResponsesReader()
    responses.read(typed("response.incomplete", response={"incomplete_details": {"reason": reason}}))
    assert (responses.complete, responses.filtered) == (True, filtered)


def test_the_last_figures_of_a_chat_stream_count() -> None:
    reader = ChatReader()
    reader.read(chunk({"content": "x"}, usage={"prompt_tokens": 9, "completion_tokens": 1}))
    reader.read(chunk({"content": "y"}, usage=None))
    details = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}
    reader.read(data({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, **details}}))
    assert reader.usage(1000) == Usage(9, 3, cached_tokens=4, reasoning_tokens=2)


def test_usage_that_nobody_said_is_estimated() -> None:
    for reader, content in (
        (ChatReader(), chunk({"content": "x"})),
        (MessagesReader(), typed("content_block_delta", delta={"type": "text_delta", "text": "x"})),
        (ResponsesReader(), typed("response.output_text.delta", delta="x")),
    ):
        for _ in range(3):
            assert reader.read(content) is Mark.CONTENT
        assert reader.usage(400) == Usage(100, 3, estimated=True)


def test_responses_events_in_a_chat_stream_are_understood() -> None:
    reader = ChatReader()
    marks = [reader.read(raw.rstrip()) for raw in RESPONSES_STREAM[:-1]]
    usage = {"input_tokens": 5, "output_tokens": 2}
    assert reader.read(b"data: {") is Mark.MALFORMED
    marks.append(reader.read(typed("response.completed", response={"usage": usage})))
    assert marks == [Mark.FRAME, Mark.CONTENT, Mark.END]
    assert (reader.content, reader.finished, reader.complete, reader.malformed) == (True, True, True, 1)
    assert reader.usage(0) == Usage(5, 2)
    failing = ChatReader()
    assert failing.read(typed("response.failed", response={"error": {"code": "server_error"}})) is Mark.ERROR
    assert failing.error == {"code": "server_error"}
    done = ChatReader()
    done.read(RESPONSES_STREAM[1].rstrip())
    assert done.read(b"data: [DONE]") is Mark.END
    assert done.complete


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize(
    ("raw", "mark"),
    [
        (typed("message_start", message={"usage": {"input_tokens": 1}}), Mark.FRAME),
        (typed("message_start", message=None), Mark.FRAME),
        (typed("content_block_start", content_block={"type": "text", "text": ""}), Mark.FRAME),
        (typed("content_block_start", content_block={"type": "thinking", "thinking": ""}), Mark.FRAME),
        (typed("content_block_start", content_block={"type": "text", "text": "x"}), Mark.CONTENT),
        (typed("content_block_start", content_block={"type": "tool_use", "name": "f", "input": {}}), Mark.CONTENT),
        (typed("content_block_start", content_block={"type": "redacted_thinking", "data": "x"}), Mark.CONTENT),
        (typed("content_block_start", content_block={"type": ["odd"]}), Mark.CONTENT),
        (typed("content_block_start", content_block=None), Mark.FRAME),
        (typed("content_block_delta", delta={"type": "thinking_delta", "thinking": "x"}), Mark.CONTENT),
        (typed("content_block_stop"), Mark.FRAME),
        (typed("message_delta", delta=None, usage=None), Mark.FRAME),
        (typed("ping"), Mark.FILLER),
        (typed("something.new"), Mark.FRAME),
        (data({"type": ["odd"]}), Mark.FRAME),
        (typed("message_stop"), Mark.END),
        (typed("error", error={"type": "overloaded_error", "message": "m"}), Mark.ERROR),
        (typed("error"), Mark.ERROR),
        (b": comment", Mark.FILLER),
        (b"event: message_stop", Mark.FILLER),
        (b"event: message_stop\ndata: {", Mark.MALFORMED),
        # Without the type, which Anthropic's SDKs tolerate, too.
        (data({"index": 0, "delta": {"text": "x"}}, "content_block_delta"), Mark.CONTENT),
        (data({}, "message_stop"), Mark.END),
        (data({}, "ping"), Mark.FILLER),
        (data({}), Mark.FRAME),
    ],
)
def test_messages_events(raw: bytes, mark: Mark, spelled: Any) -> None:
    reader = MessagesReader()
    assert reader.read(spelled(raw)) is mark
    assert reader.content is (mark is Mark.CONTENT)
    assert reader.complete is (mark is Mark.END)
    assert (reader.error is not None) is (mark is Mark.ERROR)
    assert reader.malformed == (mark is Mark.MALFORMED)


def test_the_figures_of_messages_are_cumulative() -> None:
    reader = MessagesReader()
    first = {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2, "output_tokens": 1}
    reader.read(typed("message_start", message={"usage": first}))
    for _ in range(4):
        reader.read(MESSAGES_STREAM[2].rstrip())
    assert reader.usage(0) == Usage(17, 4, cached_tokens=5, cache_write_tokens=2, estimated=True)
    reader.read(typed("message_delta", delta={}, usage={"output_tokens": 30, "input_tokens": None}))
    assert reader.usage(0) == Usage(17, 30, cached_tokens=5, cache_write_tokens=2, estimated=True)
    reader.read(typed("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40}))
    assert reader.finished
    assert reader.usage(0) == Usage(17, 40, cached_tokens=5, cache_write_tokens=2)


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize(
    ("raw", "mark"),
    [
        (typed("response.created", response={}), Mark.FRAME),
        (typed("response.in_progress"), Mark.FRAME),
        (typed("response.output_item.added", item={"type": "message"}), Mark.FRAME),
        (typed("response.output_text.delta", delta="x"), Mark.CONTENT),
        (typed("response.function_call_arguments.delta", delta="x"), Mark.CONTENT),
        (typed("response.output_item.done"), Mark.CONTENT),
        (typed("something.new"), Mark.FRAME),
        (data({"type": ["odd"]}), Mark.FRAME),
        (typed("response.completed", response={"usage": None}), Mark.END),
        (typed("response.completed"), Mark.END),
        (typed("response.incomplete", response={"incomplete_details": None}), Mark.END),
        (b"data: [DONE]", Mark.END),
        (typed("response.failed", response={"error": {"code": "c"}}), Mark.ERROR),
        (typed("response.failed", response=None), Mark.ERROR),
        (typed("error", code="c", message="m"), Mark.ERROR),
        (b": comment", Mark.FILLER),
        (b"data: x", Mark.MALFORMED),
        (data({}, "response.completed"), Mark.END),
        (data({"delta": "x"}, "response.output_text.delta"), Mark.CONTENT),
    ],
)
def test_responses_events(raw: bytes, mark: Mark, spelled: Any) -> None:
    reader = ResponsesReader()
    assert reader.read(spelled(raw)) is mark
    assert reader.content is (mark is Mark.CONTENT)
    assert (reader.error is not None) is (mark is Mark.ERROR)
    assert reader.malformed == (mark is Mark.MALFORMED)
    if mark is Mark.END:
        assert reader.complete


# fmt: off
KEYS = [
    "choices", "delta", "content", "index", "finish_reason", "usage", "error", "type", "message", "response", "content_block",
    "stop_reason", "incomplete_details", "role", "prompt_tokens", "output_tokens", "prompt_tokens_details", "cached_tokens",
]
# fmt: on
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "error", "stop", "response.failed", "message_delta"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    documents=st.lists(st.tuples(JSON, st.sampled_from(["", "response.completed", "message_start", "error"])), max_size=4),
    operation=st.sampled_from(list(STREAMS)),
)
def test_no_json_breaks_a_reader(documents: list[tuple[Any, str]], operation: Operation) -> None:
    reader: EventReader = reader_for(operation, 1)
    for document, name in documents:
        reader.read(data(document, name))
    usage = reader.usage(100)
    assert all(isinstance(figure, int) and figure >= 0 for figure in usage[:6])


def test_each_operation_has_its_reader() -> None:
    assert isinstance(reader_for(CHAT, 3), ChatReader)
    assert isinstance(reader_for(MESSAGES, 1), MessagesReader)
    assert isinstance(reader_for(RESPONSES, 1), ResponsesReader)
