"""A chat completions conversation as Anthropic's."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from lambda_runtime.translation.chat_history import BEGINNING, CONTINUE
from lambda_runtime.translation.errors import UntranslatableError
from tests.lambda_runtime.translation.kit import NEW_CLAUDE, OLD_CLAUDE, PIXEL, call, image, to_messages

USER = {"role": "user", "content": "hi"}


def turns(*messages: dict[str, Any], model: str = OLD_CLAUDE) -> list[Any]:
    return [(turn["role"], turn["content"]) for turn in to_messages(model, messages=list(messages)).body["messages"]]


def content(*parts: dict[str, Any]) -> Any:
    return to_messages(messages=[{"role": "user", "content": list(parts)}]).body["messages"][0]["content"]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_system_prompt_is_a_field(role: str) -> None:
    result = to_messages(messages=[{"role": role, "content": "be kind"}, USER])
    assert (result.body["system"], result.body["messages"], result.dropped) == ("be kind", [USER], ())


def test_system_messages_in_mid_conversation_go_to_the_front_and_that_is_said() -> None:
    messages = [{"role": "system", "content": "a"}, USER, {"role": "developer", "content": "b"}, USER]
    result = to_messages(messages=messages)
    assert result.body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert result.body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}] * 2}]
    assert result.dropped == ("messages.role",)


def test_a_system_prompt_alone_is_what_the_user_says() -> None:
    result = to_messages(messages=[{"role": "system", "content": "write a poem"}])
    assert result.body["messages"] == [{"role": "user", "content": "write a poem"}]
    assert "system" not in result.body


def test_roles_alternate() -> None:
    said = turns(USER, USER, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, USER)
    assert said == [
        ("user", [{"type": "text", "text": "hi"}, {"type": "text", "text": "hi"}]),
        ("assistant", [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ("user", "hi"),
    ]


def test_the_user_begins() -> None:
    assert turns({"role": "assistant", "content": "Welcome!"}, USER)[0] == ("user", BEGINNING)


def test_a_last_word_of_the_assistants_is_a_beginning_where_models_take_it() -> None:
    assert turns(USER, {"role": "assistant", "content": "The answer is  \n"})[-1] == ("assistant", "The answer is")


def test_and_is_answered_where_they_do_not() -> None:
    result = to_messages(NEW_CLAUDE, messages=[USER, {"role": "assistant", "content": "The answer is"}])
    assert result.body["messages"][-1] == {"role": "user", "content": CONTINUE}
    assert result.dropped == ("messages.prefill",)


def test_blank_texts_are_left_out() -> None:
    said = turns(USER, {"role": "assistant", "content": ""}, {"role": "user", "content": [{"type": "text", "text": " "}]}, USER)
    assert said == [("user", [{"type": "text", "text": "hi"}, {"type": "text", "text": "hi"}])]


def test_calls_and_results() -> None:
    said = turns(
        USER,
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call("a", "f", '{"x": 1}'), call("b", "g", "")]},
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]},
        {"role": "user", "content": "and?"},
    )
    assert said[1:] == [
        (
            "assistant",
            [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "b", "name": "g", "input": {}},
            ],
        ),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "a", "content": "one"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}],
                },
                {"type": "text", "text": "and?"},
            ],
        ),
    ]


def test_results_come_before_what_else_the_user_says() -> None:
    calling = {"role": "assistant", "tool_calls": [call("a"), call("b")]}
    results = [{"role": "tool", "tool_call_id": identity, "content": ""} for identity in "ab"]
    kinds = [block["type"] for block in turns(USER, calling, results[0], USER, results[1])[-1][1]]
    assert kinds == ["tool_result", "tool_result", "text"]


def test_an_empty_result_has_no_content() -> None:
    said = turns(USER, {"role": "assistant", "tool_calls": [call("a")]}, {"role": "tool", "tool_call_id": "a", "content": ""})
    assert said[-1] == ("user", [{"type": "tool_result", "tool_use_id": "a"}])


def test_ids_are_written_in_anthropics_characters_in_calls_and_results_alike() -> None:
    odd = "functions.f:0"
    said = turns(USER, {"role": "assistant", "tool_calls": [call(odd)]}, {"role": "tool", "tool_call_id": odd, "content": "x"})
    assert said[1][1][0]["id"] == said[2][1][0]["tool_use_id"] == "functions_f_0"


@pytest.mark.parametrize("arguments", ['{"x": ', "[1]", '"x"', '{"x": NaN}'])
def test_arguments_that_are_no_object_are_kept_as_text_and_that_is_said(arguments: str) -> None:
    calling = {"role": "assistant", "tool_calls": [call("a", "f", arguments)]}
    result = to_messages(messages=[USER, calling, {"role": "tool", "tool_call_id": "a", "content": "x"}])
    assert result.body["messages"][1]["content"][0]["input"] == {"arguments": arguments}
    assert result.dropped == ("messages.tool_calls.function.arguments",)


def test_a_refusal_is_text() -> None:
    assert turns(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER)[1] == ("assistant", "No.")


def test_reasoning_and_names_are_dropped_and_reported() -> None:
    answer = {"role": "assistant", "content": "x", "reasoning_content": "hm", "annotations": [], "name": "bot"}
    result = to_messages(messages=[{**USER, "name": "ann"}, answer, USER])
    assert result.dropped == ("messages.name", "messages.reasoning_content")


def test_images() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    assert content(image()) == [{"type": "image", "source": source}]
    assert content(image("https://x.org/a.png")) == [{"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}]
    assert content(image(f"DATA:image/JPG;BASE64,{PIXEL}"))[0]["source"]["media_type"] == "image/jpeg"


def test_an_images_detail_is_dropped_and_reported() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://x.org/a.png", "detail": "low"}}
    assert to_messages(messages=[{"role": "user", "content": [part]}]).dropped == ("messages.content.image_url.detail",)


def test_files() -> None:
    pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
    text = {"type": "file", "file": {"file_data": "data:text/csv;charset=utf-8;base64," + base64.b64encode(b"a,b").decode()}}
    assert content(pdf, text) == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}},
    ]


@pytest.mark.parametrize("mark", [{"cache_control": {"type": "ephemeral"}}, {"prompt_cache_breakpoint": {"mode": "explicit"}}])
def test_breakpoints_of_the_prompt_cache(mark: dict[str, Any]) -> None:
    assert content({"type": "text", "text": "long", **mark}) == [
        {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    ]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "messages[1].content[0]"),
        ({"role": "user", "content": [{"type": "video"}]}, "messages[1].content[0]"),
        ({"role": "user", "content": [{"type": ["text"]}]}, "messages[1].content[0]"),
        ({"role": "user", "content": [image("data:image/svg+xml;base64,AA==")]}, "messages[1].content[0].image_url.url"),
        ({"role": "user", "content": [image("/tmp/a.png")]}, "messages[1].content[0].image_url.url"),  # noqa: S108
        ({"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}, "messages[1].content[0].file.file_id"),
        (
            {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,/w=="}}]},
            "messages[1].content[0].file.file_data",
        ),
        ({"role": "assistant", "audio": {"id": "a"}}, "messages[1].audio"),
        ({"role": "assistant", "function_call": {"name": "f"}}, "messages[1].function_call"),
        ({"role": "function", "name": "f", "content": "x"}, "messages[1].role"),
        ({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]}, "messages[1].tool_calls[0].type"),
    ],
)
def test_what_cannot_be_said_is_refused_by_its_place(message: dict[str, Any], param: str) -> None:
    with pytest.raises(UntranslatableError) as caught:
        turns(USER, message)
    assert caught.value.param == param
