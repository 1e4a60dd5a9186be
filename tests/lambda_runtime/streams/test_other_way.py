"""A whole answer as a stream, and a stream as a whole answer: there and back nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import Operation
from lambda_runtime.json_scan import parse_object
from lambda_runtime.streams.as_document import assembler_for
from lambda_runtime.streams.as_events import as_events
from lambda_runtime.streams.readers import Mark, reader_for
from lambda_runtime.streams.sse import EventSplitter, Fields
from tests.lambda_runtime.samples import ANSWERS, CHAT, MESSAGES

TEXT = st.text(max_size=5)
CALL = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=3), "type": st.just("function")},
    optional={"function": st.fixed_dictionaries({"name": st.text(min_size=1, max_size=3), "arguments": TEXT})},
)
CHOICE = st.fixed_dictionaries(
    {
        "message": st.fixed_dictionaries(
            {"role": st.just("assistant"), "content": st.none() | TEXT},
            optional={
                "tool_calls": st.lists(CALL, min_size=1, max_size=2),
                "refusal": st.none() | TEXT,
                "reasoning_content": TEXT,
            },
        ),
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls"]),
    }
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": TEXT, "signature": TEXT}),
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": TEXT,
            "name": TEXT,
            "input": st.dictionaries(TEXT, st.integers() | TEXT, max_size=2),
        }
    ),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": TEXT}),
    st.fixed_dictionaries(
        {"type": st.just("text"), "text": TEXT, "citations": st.lists(st.fixed_dictionaries({"cited_text": TEXT}), min_size=1)}
    ),
)


def there_and_back(document: dict[str, Any], operation: Operation) -> Any:
    stream = as_events(document, operation)
    reader, assembler = reader_for(operation, 1), assembler_for(operation)
    for raw in EventSplitter().feed(stream):
        mark = reader.read(raw)
        assert mark not in {Mark.MALFORMED, Mark.ERROR}
        if Fields(raw).data != b"[DONE]":
            assembler.add(reader.event)
    assert reader.complete
    return assembler.document()


@given(choices=st.lists(CHOICE, min_size=1, max_size=3))
def test_chat_completions(choices: list[dict[str, Any]]) -> None:
    document = {**ANSWERS[CHAT], "object": "chat.completion", "choices": [{"index": i, **c} for i, c in enumerate(choices)]}
    assert there_and_back(document, CHAT) == document


@given(content=st.lists(BLOCK, max_size=3), stop=st.sampled_from(["end_turn", "tool_use", "max_tokens"]))
def test_messages(content: list[dict[str, Any]], stop: str) -> None:
    document = {**ANSWERS[MESSAGES], "content": content, "stop_reason": stop, "stop_sequence": None}
    assert there_and_back(document, MESSAGES) == document


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_the_figures_and_the_end_are_the_documents(operation: Operation) -> None:
    reader = reader_for(operation, 1)
    for raw in EventSplitter().feed(as_events(ANSWERS[operation], operation)):
        reader.read(raw)
    assert (reader.content, reader.finished, reader.complete) == (True, True, True)
    assert reader.usage(0)[:2] == ((11, 7) if operation is CHAT else (3, 1))
    assert not reader.usage(0).estimated


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize("document", [{}, {"choices": 5, "content": 5}, {"choices": [5], "content": ["x"]}, {"usage": 5}])
def test_what_is_no_answer_has_no_content(operation: Operation, document: dict[str, Any]) -> None:
    reader = reader_for(operation, 1)
    for raw in EventSplitter().feed(as_events(document, operation)):
        assert parse_object(Fields(raw).data or b"") is not None or Fields(raw).data == b"[DONE]"
        reader.read(raw)
    assert not reader.content
