"""A stream of chunks as message events, read by Anthropic's SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.translation.answers import chat_answer_to_messages
from lambda_runtime.translation.messages_stream import ChatToMessagesStream
from tests.lambda_runtime.translation.kit import read_messages_stream, whole_events
from tests.lambda_runtime.translation.strategies import chunks_of, completions

HEAD = {"id": "chatcmpl-01", "object": "chat.completion.chunk", "created": 1, "model": "gpt"}


def chunk(finish: str | None = None, /, **delta: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def piece(index: int | None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": fields.pop("name")} if "name" in fields else {})}
    return {**({} if index is None else {"index": index}), "function": function, **fields}


def calls(*pieces: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return chunk(finish, tool_calls=list(pieces))


def fed(*chunks: dict[str, Any]) -> list[bytes]:
    stream = ChatToMessagesStream()
    return [*(stream.feed(one) for one in chunks), stream.finish()]


def documents(data: bytes) -> list[Any]:
    return [json.loads(event.split(b"data: ", 1)[1]) for event in whole_events(data)]


def content(*chunks: dict[str, Any]) -> list[Any]:
    message, _ = read_messages_stream(fed(*chunks))
    found = []
    for block in message.content:
        match block.type:
            case "text":
                found.append(block.text)
            case "thinking":
                found.append(("thinking", block.thinking))
            case "tool_use":
                found.append((block.id, block.name, block.input))
    return found


def test_a_stream_of_text() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    pieces = fed(
        chunk(role="assistant", content=""),
        chunk(content="hel"),
        chunk("stop", content="lo"),
        {**HEAD, "choices": [], "usage": usage},
    )
    zero = {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}
    start = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "gpt",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": zero,
    }

    def delta(text: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}

    assert [documents(each) for each in pieces] == [
        [{"type": "message_start", "message": start}],
        [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, delta("hel")],
        [delta("lo"), {"type": "content_block_stop", "index": 0}],
        [],
        [
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {
                    "input_tokens": 6,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 4,
                    "output_tokens": 2,
                },
            },
            {"type": "message_stop"},
        ],
    ]
    assert pieces[0].startswith(b"event: message_start\ndata: {")


def test_reasoning_text_and_calls_in_their_usual_order() -> None:
    assert content(
        chunk(role="assistant", content="", reasoning_content=None),
        chunk(reasoning_content="h", content=None),
        chunk(reasoning="m"),
        chunk(content="Look"),
        calls(piece(0, "", id="a", name="f")),
        calls(piece(0, '{"x":')),
        calls(piece(0, " 1}")),
        calls(piece(1, "", id="b", name="g")),
        chunk("tool_calls"),
    ) == [("thinking", "hm"), "Look", ("a", "f", {"x": 1}), ("b", "g", {})]


def test_a_call_is_passed_on_piece_by_piece() -> None:
    stream = ChatToMessagesStream()
    stream.feed(calls(piece(0, "", id="a", name="f")))
    (event,) = documents(stream.feed(calls(piece(0, '{"x'))))
    assert event["delta"] == {"type": "input_json_delta", "partial_json": '{"x'}


def test_the_next_call_begins_when_the_one_before_it_is_whole() -> None:
    stream = ChatToMessagesStream()
    stream.feed(calls(piece(0, '{"x": {}', id="a", name="f")))
    assert stream.feed(calls(piece(1, "{", id="b", name="g"))) == b""
    kinds = [event["type"] for event in documents(stream.feed(calls(piece(0, "}"))))]
    assert kinds == ["content_block_delta", "content_block_stop", "content_block_start", "content_block_delta"]
    assert documents(stream.feed(calls(piece(1, "}"))))[0]["index"] == 1


def test_calls_in_one_piece_each() -> None:
    both = calls(piece(0, "{}", id="a", name="f"), piece(1, '{"y": 2}', id="b", name="g"), finish="tool_calls")
    assert content(both) == [("a", "f", {}), ("b", "g", {"y": 2})]


def test_calls_that_all_have_the_same_index() -> None:
    assert content(calls(piece(0, "{}", id="a", name="f")), calls(piece(0, '{"y": 2}', id="b", name="g")), chunk("stop")) == [
        ("a", "f", {}),
        ("b", "g", {"y": 2}),
    ]


def test_calls_without_indexes() -> None:
    assert content(
        calls(piece(None, '{"x":', id="a", name="f")), calls(piece(None, "1}")), calls(piece(None, "{}", id="b", name="g"))
    ) == [("a", "f", {"x": 1}), ("b", "g", {})]


def test_calls_that_repeat_their_id_and_name() -> None:
    assert content(calls(piece(0, '{"x":', id="a", name="f")), calls(piece(0, "1}", id="a", name="f"))) == [
        ("a", "f", {"x": 1})
    ]


def test_ids_that_change_from_piece_to_piece_are_one_call() -> None:
    assert content(calls(piece(0, '{"x":', id="a", name="f")), calls(piece(0, "1}", id="b"))) == [("a", "f", {"x": 1})]


def test_calls_without_ids_get_one_each() -> None:
    (first, *_), (second, *_) = content(calls(piece(0, "{}", name="f"), piece(1, "{}", name="f")))
    assert first
    assert first != second


def test_arguments_that_are_an_object_already() -> None:
    assert content(calls(piece(0, {"x": 1}, id="a", name="f"))) == [("a", "f", {"x": 1})]


def test_a_name_that_comes_late() -> None:
    assert content(calls(piece(0, "{", id="a")), calls(piece(0, "}", name="f")), chunk("tool_calls")) == [("a", "f", {})]


def test_text_after_a_call_is_a_block_of_its_own() -> None:
    assert content(chunk(content="a"), calls(piece(0, "{}", id="x", name="f")), chunk(content="b"), chunk("tool_calls")) == [
        "a",
        ("x", "f", {}),
        "b",
    ]


def test_content_after_the_finish_reason_is_not_lost() -> None:
    assert content(chunk(content="a"), chunk("stop"), chunk(content="b")) == ["a", "b"]


def test_further_answers_are_dropped() -> None:
    other = {**HEAD, "choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}
    message, _ = read_messages_stream(fed(other, chunk("stop", content="a"), other))
    assert ([block.text for block in message.content if block.type == "text"], message.stop_reason) == (["a"], "end_turn")


def test_what_azure_says_before_the_answer_has_an_id() -> None:
    before = {"id": "", "model": "", "choices": [], "prompt_filter_results": []}
    pieces = fed(before, chunk("stop", content="a"))
    assert pieces[0] == b""
    assert read_messages_stream(pieces)[0].id == "msg_01"


def test_refusals() -> None:
    message, _ = read_messages_stream(fed(chunk(refusal="N"), chunk("stop", refusal="o.")))
    assert (message.content[0].text, message.stop_reason) == ("No.", "refusal")  # type: ignore[union-attr]


def test_the_stop_sequence_that_was_met_where_the_server_says_it() -> None:
    last = {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}]}
    message, _ = read_messages_stream(fed(chunk(content="a"), last))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")


def test_an_empty_answer() -> None:
    message, _ = read_messages_stream(fed())
    assert (message.content, message.stop_reason) == ([], "end_turn")


def test_content_in_parts() -> None:
    assert content(chunk(content=[{"type": "text", "text": "a"}]), chunk("stop", content="b")) == ["ab"]


@given(answer=completions(), data=st.data())
def test_the_stream_is_the_whole_answer(answer: dict[str, Any], data: st.DataObject) -> None:
    """However it is cut and in whatever order it comes, Anthropic's SDK makes of the stream what the whole answer says."""
    pieces = fed(*data.draw(chunks_of(answer)))
    for each in pieces:
        whole_events(each)
    message, _ = read_messages_stream(pieces)
    whole = chat_answer_to_messages(answer)

    def said(blocks: list[Any], kind: str) -> str:
        return "".join(block[kind] for block in blocks if block["type"] == kind)

    def used(blocks: list[Any]) -> dict[str, Any]:
        return {block["id"]: (block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"}

    got = [block.model_dump() for block in message.content]
    for kind in ("text", "thinking"):
        assert said(got, kind) == said(whole["content"], kind)
    assert used(got) == used(whole["content"])
    assert all(block.get("text", "x") and block.get("thinking", "x") for block in got)
    assert (message.id, message.model, message.stop_reason) == (whole["id"], whole["model"], whole["stop_reason"])
    assert message.usage.model_dump(exclude_unset=True) == whole["usage"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["index", "delta", "content", "tool_calls", "function", "name", "arguments", "id", "usage"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    chunks=st.lists(
        st.fixed_dictionaries(
            {
                "choices": JSON
                | st.lists(st.fixed_dictionaries({"delta": JSON}, optional={"finish_reason": JSON, "index": JSON}))
            },
            optional={"id": JSON, "model": JSON, "usage": JSON},
        ),
        max_size=5,
    )
)
def test_odd_chunks_do_no_harm(chunks: list[dict[str, Any]]) -> None:
    pieces = fed(*chunks)
    for each in pieces:
        whole_events(each)
    read_messages_stream(pieces)


@pytest.mark.parametrize("text", ["\x7f\u2028\U0001f600", "\ud800", '"\\\n\r\n\ndata: x'])
def test_any_text_stays_one_event(text: str) -> None:
    stream = ChatToMessagesStream()
    stream.feed(chunk(content="a"))
    (event,) = documents(stream.feed(chunk(content=text)))
    assert event["delta"]["text"] == text
