"""There and back: what both formats can say means the same after two translations. And nothing odd does any harm."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.answers import chat_answer_to_messages, messages_answer_to_chat
from lambda_runtime.translation.chat_request import chat_request_to_messages
from lambda_runtime.translation.messages_request import messages_request_to_chat
from tests.lambda_runtime.translation.kit import OLD_CLAUDE, PIXEL, PLAIN_GPT, meaning_of_chat
from tests.lambda_runtime.translation.strategies import ARGUMENTS, NAMES, calls, completions, messages

TEXTS = st.text(alphabet='ab é☃\n"\\', min_size=1, max_size=8).filter(lambda text: bool(text.strip()))
PARTS = st.one_of(
    TEXTS.map(lambda text: {"type": "text", "text": text}),
    st.sampled_from(["https://x.org/a.png", f"data:image/png;base64,{PIXEL}"]).map(
        lambda url: {"type": "image_url", "image_url": {"url": url}}
    ),
    st.just({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}),
)
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({"type": "string"}), max_size=2)},
    optional={"required": st.lists(NAMES, max_size=2)},
)


@st.composite
def chat_requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request that Anthropic's format can say as well."""
    said: list[dict[str, Any]] = []
    if draw(st.booleans()):
        said.append({"role": draw(st.sampled_from(["system", "developer"])), "content": draw(TEXTS)})
    for _ in range(draw(st.integers(0, 3))):
        said.append({"role": "user", "content": draw(TEXTS | st.lists(PARTS, min_size=1, max_size=3))})
        made = draw(calls())
        answer: dict[str, Any] = {"role": "assistant", "content": draw(TEXTS) if draw(st.booleans()) or not made else None}
        if made:
            answer["tool_calls"] = [
                {"id": identity, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
                for identity, name, given in made
            ]
        said.append(answer)
        said += [{"role": "tool", "tool_call_id": identity, "content": draw(TEXTS)} for identity, _, _ in made]
    said.append({"role": "user", "content": draw(TEXTS)})
    body: dict[str, Any] = {"model": "m", "messages": said, "max_completion_tokens": draw(st.integers(1, 9999))}
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    if names:
        body["tools"] = [
            {"type": "function", "function": {"name": name, "description": draw(TEXTS), "parameters": draw(SCHEMAS)}}
            for name in names
        ]
        choice = draw(st.sampled_from([None, "none", "required", {"type": "function", "function": {"name": names[0]}}]))
        if choice:
            body["tool_choice"] = choice
        if draw(st.booleans()) and choice != "none":
            body["parallel_tool_calls"] = False
    others = {
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "stop": st.lists(TEXTS, min_size=1, max_size=4),
        "user": NAMES,
        "service_tier": st.sampled_from(["auto", "default"]),
        "stream": st.just(True),
    }
    return body | draw(st.fixed_dictionaries({}, optional=others))


@given(body=chat_requests())
def test_a_chat_request_there_and_back(body: dict[str, Any]) -> None:
    there = chat_request_to_messages(body, model=OLD_CLAUDE)
    back = messages_request_to_chat(there.body, model=PLAIN_GPT)
    assert (there.dropped, back.dropped) == ((), ())
    expected = {**body, "stream_options": {"include_usage": True}} if body.get("stream") else body
    assert meaning_of_chat(back.body) == meaning_of_chat(expected)


@given(body=chat_requests())
def test_a_messages_request_there_and_back(body: dict[str, Any]) -> None:
    """The way back settles on one form, so that a second round changes nothing."""
    given_one = chat_request_to_messages(body, model=OLD_CLAUDE).body
    chat = messages_request_to_chat(given_one, model=PLAIN_GPT)
    back = chat_request_to_messages(chat.body, model=OLD_CLAUDE)
    assert (chat.dropped, back.dropped) == ((), ())
    assert back.body == given_one


@given(body=chat_requests())
def test_turns_alternate_and_results_come_first(body: dict[str, Any]) -> None:
    turns = chat_request_to_messages(body, model=OLD_CLAUDE).body["messages"]
    assert [turn["role"] for turn in turns] == (["user", "assistant"] * len(turns))[: len(turns)]
    for turn in turns:
        assert turn["content"]
        kinds = [block["type"] == "tool_result" for block in turn["content"] if isinstance(turn["content"], list)]
        assert kinds == sorted(kinds, reverse=True)


@given(answer=messages())
def test_a_message_there_and_back(answer: dict[str, Any]) -> None:
    back = chat_answer_to_messages(messages_answer_to_chat(answer))

    def said(blocks: list[Any]) -> list[Any]:
        """Text and thinking are one each, and thinking has lost its signature."""
        texts = ["".join(block.get(kind, "") for block in blocks) for kind in ("thinking", "text")]
        return [*texts, *([block for block in blocks if block["type"] == "tool_use"])]

    assert said(back["content"]) == said(answer["content"])
    usage = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, **answer["usage"]}
    if usage.get("output_tokens_details") == {"thinking_tokens": 0}:
        del usage["output_tokens_details"]
    assert back["usage"] == usage
    for name in ("id", "model", "role", "type", "stop_reason", "stop_sequence"):
        assert back[name] == answer[name]


@given(answer=completions())
def test_a_completion_there_and_back(answer: dict[str, Any]) -> None:
    back = messages_answer_to_chat(chat_answer_to_messages(answer))

    def said(choice: dict[str, Any]) -> list[Any]:
        message = choice["message"]
        made = [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls", [])
        ]
        return [message["content"] or "", message.get("reasoning_content"), made, choice["finish_reason"]]

    assert said(back["choices"][0]) == said(answer["choices"][0])
    for name in ("id", "model", "object"):
        assert back[name] == answer[name]
    usage = {**answer["usage"]}
    if usage["completion_tokens_details"] == {"reasoning_tokens": 0}:
        del usage["completion_tokens_details"]
    assert back["usage"] == usage


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> Any:
    """A value with something else in one place, or without something."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 9)):
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: draw(spoilt(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(spoilt(value[index])), *value[index + 1 :]]
    return draw(JSON)


def kitchen_sink() -> dict[str, Any]:
    """A chat completions request with something of everything."""
    return {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}]},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "x"}, {"type": "refusal", "refusal": "r"}],
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}],
            },
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "y"}]},
            {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,YQ=="}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "strict": True, "parameters": {"type": "object"}}}],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
        },
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"anyOf": [{"minimum": 1}]}}}},
        },
        "reasoning_effort": "low",
        "stop": ["a"],
        "temperature": 0.5,
        "user": "u",
        "metadata": {"a": "b"},
        "stream_options": {"include_usage": True},
        "n": 1,
    }


def messages_sink() -> dict[str, Any]:
    """A messages request with something of everything."""
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    return {
        "max_tokens": 5,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "x"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "text", "text": "x"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "a",
                        "is_error": True,
                        "content": [{"type": "image", "source": source}],
                    },
                    {
                        "type": "document",
                        "title": "t",
                        "source": {"type": "content", "content": [{"type": "text", "text": "y"}]},
                    },
                    {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "z"}]},
                ],
            },
        ],
        "tools": [{"name": "f", "strict": True, "input_schema": {"type": "object", "properties": {"a": {"items": {}}}}}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "metadata": {"user_id": "u"},
        "stop_sequences": ["a"],
        "temperature": 0.5,
    }


MODELS = ["claude-opus-5-5", "claude-sonnet-4-5", "claude-3-haiku-20240307", "gpt-5.6", "gpt-4.1", "o3", "deepseek-flash", ""]


@settings(max_examples=400)
@pytest.mark.parametrize("sink", [kitchen_sink, messages_sink])
@given(data=st.data(), model=st.sampled_from(MODELS))
def test_odd_requests_are_refused_and_never_worse(sink: Any, data: st.DataObject, model: str) -> None:
    body = sink()
    for _ in range(data.draw(st.integers(0, 2))):
        body = data.draw(spoilt(body))
    if not isinstance(body, dict):
        return
    before = json.dumps(body)
    translate = chat_request_to_messages if sink is kitchen_sink else messages_request_to_chat
    with suppress(RequestError):
        result = translate(body, model=model)
        assert json.loads(json.dumps(result.body))["model"] == model
        assert all(name.isascii() and name for name in result.dropped)
        assert len(set(result.dropped)) == len(result.dropped)
    assert json.dumps(body) == before


@pytest.mark.parametrize(
    ("translate", "sink"), [(chat_request_to_messages, kitchen_sink), (messages_request_to_chat, messages_sink)]
)
@pytest.mark.parametrize("model", MODELS)
def test_a_request_with_something_of_everything_is_translated(translate: Any, sink: Any, model: str) -> None:
    assert translate(sink(), model=model).body["messages"]


@given(answer=st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "model", "content", "usage", "choices"), JSON)))
def test_odd_answers_become_answers(answer: dict[str, Any]) -> None:
    assert messages_answer_to_chat(answer)["choices"]
    assert chat_answer_to_messages(answer)["type"] == "message"


@given(answer=st.one_of(messages(), completions()), data=st.data())
def test_spoilt_answers_become_answers(answer: dict[str, Any], data: st.DataObject) -> None:
    broken = data.draw(spoilt(answer))
    if isinstance(broken, dict):
        json.dumps(messages_answer_to_chat(broken))
        json.dumps(chat_answer_to_messages(broken))


@given(given=ARGUMENTS)
def test_arguments_stay_what_they_are(given: dict[str, Any]) -> None:
    use = {"type": "tool_use", "id": "a", "name": "f", "input": given}
    there = messages_answer_to_chat({"content": [use]})
    assert chat_answer_to_messages(there)["content"] == [use]
