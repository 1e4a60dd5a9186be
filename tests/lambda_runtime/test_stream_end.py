"""Properties of the watch over a stream's end: where the network cuts and what the model says make no difference."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import Operation
from lambda_runtime.stream_end import StreamEnd

CHAT = Operation.CHAT_COMPLETIONS
TERMINATED = {
    CHAT: b"data: [DONE]\n\n",
    Operation.MESSAGES: b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    Operation.RESPONSES: b'event: response.completed\ndata: {"type":"response.completed","response":{}}\n\n',
}
TRICKS = [
    "\ndata: [DONE]\n\n",
    'data: {"error":{"message":"x"}}',
    '"finish_reason":"stop"',
    '\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
    '"type":"response.completed"',
    "\nevent: error\n",
]


def watched(operation: Operation, stream: bytes, cuts: list[int]) -> StreamEnd:
    end = StreamEnd(operation)
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, stop in pairwise(places):
        if begin < stop:
            end.feed(stream[begin:stop])
    return end


def delta(text: str, *, ascii_only: bool) -> bytes:
    event = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(event, ensure_ascii=ascii_only).encode() + b"\n\n"


texts = st.lists(st.one_of(st.sampled_from(TRICKS), st.text(alphabet=st.characters(exclude_categories=["Cs"]))), max_size=5)
cuts = st.lists(st.integers(0, 10_000), max_size=8)


@given(texts=texts, cuts=cuts, operation=st.sampled_from(list(TERMINATED)), ascii_only=st.booleans())
def test_no_text_of_a_model_looks_like_an_end(
    texts: list[str], cuts: list[int], operation: Operation, ascii_only: bool
) -> None:
    stream = b"".join(delta(text, ascii_only=ascii_only) for text in texts)
    end = watched(operation, stream, cuts)
    assert not end.complete
    assert not end.finished
    assert not end.failed
    assert end.separator() == b""


@given(texts=texts, cuts=cuts, operation=st.sampled_from(list(TERMINATED)))
def test_a_terminator_is_seen_however_it_is_cut(texts: list[str], cuts: list[int], operation: Operation) -> None:
    stream = b"".join(delta(text, ascii_only=True) for text in texts) + TERMINATED[operation]
    assert watched(operation, stream, cuts).complete


@given(cuts=cuts, space=st.sampled_from(["", " ", "  "]))
def test_a_finish_reason_is_seen_however_it_is_cut(cuts: list[int], space: str) -> None:
    stream = b'data: {"choices":[{"finish_reason"%b:%b"stop"}]}\n\n' % (space.encode(), space.encode())
    end = watched(CHAT, stream, cuts)
    assert end.finished
    assert end.lacks_only_done


@given(cuts=cuts, text=st.sampled_from(["\r\n", "\n", "\r"]))
def test_all_line_ends_are_line_ends(cuts: list[int], text: str) -> None:
    line_end = text.encode()
    stream = b"data: {}" + line_end * 2 + b"event: error" + line_end + b"data: {}" + line_end * 2
    assert watched(Operation.MESSAGES, stream, cuts).failed
    assert watched(CHAT, b"data: {}" + line_end * 2, cuts).separator() == b""
    assert watched(CHAT, b"data: {}" + line_end, cuts).separator() == b"\n"
    assert watched(CHAT, b"data: {", cuts).separator() == b"\n\n"
    assert watched(CHAT, b"data: {}" + line_end * 2 + b"data:[DONE]", cuts).complete


def test_a_chat_answered_with_the_events_of_responses_is_complete() -> None:
    assert watched(CHAT, TERMINATED[Operation.RESPONSES], []).complete


@given(cuts=cuts, kind=st.sampled_from(["completed", "failed", "incomplete"]))
def test_a_requests_own_words_are_no_end(cuts: list[int], kind: str) -> None:
    """The responses format repeats metadata and tools, which the client chose and which are JSON, not text in JSON."""
    event = {
        "type": "response.created",
        "response": {"tools": [{"x": 1, "type": f"response.{kind}"}], "metadata": {"type": f"response.{kind}"}},
    }
    stream = b"event: response.created\ndata: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
    assert not watched(Operation.RESPONSES, stream, cuts).complete
    event = {"type": "content_block_start", "content_block": {"input": {"type": "message_stop"}}}
    stream = b"event: content_block_start\ndata: " + json.dumps(event).encode() + b"\n\n"
    assert not watched(Operation.MESSAGES, stream, cuts).complete


@given(
    cuts=cuts,
    data=st.sampled_from(
        [
            b'data: {"type":"response.completed","response":{}}\n\n',
            b'data: {"sequence_number": 123456, "type": "response.incomplete", "response": {}}\n\n',
            b'data: {"response":{},"sequence_number":1,"type":"response.failed"}\n\n',
            b'event: response.completed\ndata: {"a":1,"type":"response.completed","response":{}}\n\n',
        ]
    ),
)
def test_an_end_is_seen_wherever_its_name_stands(cuts: list[int], data: bytes) -> None:
    assert watched(Operation.RESPONSES, b"data: {}\n\n" + data, cuts).complete


def test_one_finished_answer_of_several_is_not_all() -> None:
    end = StreamEnd(CHAT, several=True)
    end.feed(b'data: {"choices":[{"index":0,"finish_reason":"stop"}]}\n\n')
    assert end.finished
    assert not end.lacks_only_done
    end.feed(TERMINATED[CHAT])
    assert end.complete
