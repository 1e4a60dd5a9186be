"""A stream of message events as chunks, read by OpenAI's SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.translation.answers import messages_answer_to_chat
from lambda_runtime.translation.chat_stream import MessagesToChatStream
from tests.lambda_runtime.translation.kit import read_chat_stream, whole_events
from tests.lambda_runtime.translation.strategies import events_of, messages

START = {
    "type": "message_start",
    "message": {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1},
    },
}


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 9, **usage}}


def fed(*events: dict[str, Any], include_usage: bool = False) -> list[bytes]:
    stream = MessagesToChatStream(include_usage=include_usage)
    return [*(stream.feed(event) for event in events), stream.finish()]


def chunk_of(data: bytes) -> Any:
    (event,) = whole_events(data)
    return json.loads(event[6:])


def test_a_stream_of_text() -> None:
    pieces = fed(
        START,
        {"type": "ping"},
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="hel"),
        delta(0, type="text_delta", text="lo"),
        stop(0),
        end(),
        {"type": "message_stop"},
    )
    created = chunk_of(pieces[0])["created"]

    def expected(said: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-01",
            "object": "chat.completion.chunk",
            "created": created,
            "model": "claude",
            "system_fingerprint": None,
            "choices": [{"index": 0, "delta": said, "logprobs": None, "finish_reason": finish}],
        }

    assert [chunk_of(piece) if piece else None for piece in pieces[:-1]] == [
        expected({"role": "assistant", "content": "", "refusal": None}),
        None,
        None,
        expected({"content": "hel"}),
        expected({"content": "lo"}),
        None,
        expected({}, "stop"),
        None,
    ]
    assert pieces[-1] == b"data: [DONE]\n\n"


def test_figures_come_last_for_those_who_asked() -> None:
    pieces = fed(START, end(input_tokens=6, cache_read_input_tokens=None), include_usage=True)
    assert all(chunk_of(piece)["usage"] is None for piece in pieces[:-1])
    event, done = whole_events(pieces[-1])
    last = json.loads(event[6:])
    assert (last["choices"], last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == ([], 13, 9)
    assert done == b"data: [DONE]"


def test_parallel_calls() -> None:
    pieces = fed(
        START,
        start(0, type="text", text="Look"),
        stop(0),
        start(1, type="tool_use", id="a", name="f", input={}),
        delta(1, type="input_json_delta", partial_json=""),
        delta(1, type="input_json_delta", partial_json='{"x":'),
        delta(1, type="input_json_delta", partial_json=' "é"}'),
        stop(1),
        start(2, type="tool_use", id="b", name="g", input={}),
        stop(2),
        start(3, type="tool_use", id="c", name="h", input={"y": 1}),
        stop(3),
        end("tool_use"),
    )
    completion, chunks = read_chat_stream(pieces)
    calls = completion.choices[0].message.tool_calls or []
    assert [(call.id, call.function.name, call.function.arguments) for call in calls if call.type == "function"] == [
        ("a", "f", '{"x": "é"}'),
        ("b", "g", "{}"),
        ("c", "h", '{"y":1}'),
    ]
    assert completion.choices[0].message.content == "Look"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert [chunk.choices[0].delta.tool_calls[0].index for chunk in chunks if chunk.choices[0].delta.tool_calls] == [
        0,
        0,
        0,
        1,
        1,
        2,
        2,
    ]


def test_calls_stay_apart_where_all_blocks_have_the_same_index() -> None:
    pieces = fed(
        START,
        *(
            event
            for name in "abc"
            for event in (
                start(0, type="tool_use", id=name, name=name, input={}),
                delta(0, type="input_json_delta", partial_json=f'{{"{name}":1}}'),
                stop(0),
            )
        ),
        end("tool_use"),
    )
    calls = read_chat_stream(pieces)[0].choices[0].message.tool_calls or []
    assert [(call.id, call.function.arguments) for call in calls if call.type == "function"] == [
        (name, f'{{"{name}":1}}') for name in "abc"
    ]


def test_a_long_id_is_not_repeated_in_each_chunk() -> None:
    begin = {**START, "message": {**START["message"], "id": "i" * 9000, "model": "m" * 9000}}  # type: ignore[dict-item]
    pieces = fed(begin, *[delta(0, type="text_delta", text="x")] * 10, end())
    assert max(map(len, pieces)) < 1000


def test_what_has_no_counterpart_is_left_out() -> None:
    stream = MessagesToChatStream(include_usage=False)
    stream.feed(START)
    for event in (
        start(0, type="server_tool_use", id="s", name="web_search", input={}),
        delta(0, type="input_json_delta", partial_json="{}"),
        stop(0),
        start(1, type="web_search_tool_result", content=[]),
        delta(2, type="citations_delta", citation={}),
        delta(2, type="signature_delta", signature="s"),
        start(3, type="redacted_thinking", data="x"),
        {"type": "something_new"},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ):
        assert stream.feed(event) == b""


def test_a_refusal_says_why() -> None:
    details = {"type": "refusal", "category": None, "explanation": "Not this."}
    event = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}, "usage": {}}
    completion, _ = read_chat_stream(fed(START, event))
    assert (completion.choices[0].message.refusal, completion.choices[0].finish_reason) == ("Not this.", "content_filter")


def test_an_answer_that_never_said_why_it_ended_ends_all_the_same() -> None:
    completion, _ = read_chat_stream(fed(START, start(0, type="tool_use", id="a", name="f", input={}), stop(0)))
    assert completion.choices[0].finish_reason == "tool_calls"


def test_a_stream_that_began_without_its_start() -> None:
    completion, _ = read_chat_stream(fed(delta(0, type="text_delta", text="x"), end()))
    assert completion.choices[0].message.content == "x"


@given(answer=messages(), data=st.data(), include_usage=st.booleans())
def test_the_stream_is_the_whole_answer(answer: dict[str, Any], data: st.DataObject, *, include_usage: bool) -> None:
    """However the text is cut, OpenAI's SDK makes of the stream what the whole answer is translated to."""
    pieces = fed(*data.draw(events_of(answer)), include_usage=include_usage)
    for piece in pieces:
        whole_events(piece)
    completion, chunks = read_chat_stream(pieces)
    whole = messages_answer_to_chat(answer)
    expected = whole["choices"][0]
    got = completion.choices[0]
    assert got.finish_reason == expected["finish_reason"]
    assert (got.message.content or None) == (expected["message"]["content"] or None)
    assert (got.message.model_extra or {}).get("reasoning_content") == expected["message"].get("reasoning_content")
    assert [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in got.message.tool_calls or []
        if call.type == "function"
    ] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in expected["message"].get("tool_calls", [])
    ]
    assert (completion.id, completion.model) == (whole["id"], whole["model"])
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {(whole["id"], chunks[0].created, whole["model"])}
    if include_usage:
        assert completion.usage is not None
        assert completion.usage.model_dump(exclude_unset=True) == whole["usage"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "content_block", "text", "message", "usage", "input", "partial_json", "id"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
KINDS = ["content_block_start", "content_block_delta", "content_block_stop", "message_start", "message_delta", "tool_use"]


@given(
    events=st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(KINDS)},
            optional={
                "index": JSON,
                "delta": JSON
                | st.fixed_dictionaries({"type": st.sampled_from(["text_delta", "input_json_delta"]), "text": JSON}),
                "content_block": JSON | st.fixed_dictionaries({"type": st.sampled_from(["tool_use", "text"]), "text": JSON}),
                "message": JSON,
                "usage": JSON,
            },
        ),
        max_size=6,
    )
)
def test_odd_events_do_no_harm(events: list[dict[str, Any]]) -> None:
    for piece in fed(*events, include_usage=True):
        whole_events(piece)


@pytest.mark.parametrize("text", ["\x7f\u2028\U0001f600", "\ud800", '"\\\n\r\n\ndata: x'])
def test_any_text_stays_one_event(text: str) -> None:
    stream = MessagesToChatStream(include_usage=False)
    stream.feed(START)
    assert chunk_of(stream.feed(delta(0, type="text_delta", text=text)))["choices"][0]["delta"]["content"] == text
