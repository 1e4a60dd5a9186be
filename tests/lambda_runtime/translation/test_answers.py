"""Whole answers in the other format, read by the SDKs' own types."""

from __future__ import annotations

from typing import Any

import anthropic.types
import openai.types.chat
import pytest

from lambda_runtime.translation.answers import chat_answer_to_messages, messages_answer_to_chat
from lambda_runtime.translation.stop_reasons import FINISH_REASONS, STOP_REASONS
from tests.lambda_runtime.translation.kit import call


def message(*content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
        **fields,
    }


def completion(finish: Any = "stop", /, *, choice: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    answer = {"role": "assistant", "content": "hello", **fields}
    return {
        "id": "chatcmpl-01",
        "object": "chat.completion",
        "created": 5,
        "model": "gpt-5.6",
        "choices": [{"index": 0, "message": answer, "logprobs": None, "finish_reason": finish, **(choice or {})}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def as_chat(answer: dict[str, Any]) -> dict[str, Any]:
    result = messages_answer_to_chat(answer)
    openai.types.chat.ChatCompletion.model_validate(result, strict=True)
    return result


def as_message(answer: dict[str, Any]) -> dict[str, Any]:
    result = chat_answer_to_messages(answer)
    anthropic.types.Message.model_validate(result, strict=True)
    return result


TEXT = {"type": "text", "text": "hello"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "é"}}


def test_a_message_is_a_completion() -> None:
    result = as_chat(message(TEXT))
    assert result.pop("created") > 1_700_000_000
    assert result == {
        "id": "chatcmpl-01",
        "object": "chat.completion",
        "model": "claude-opus-5-5",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        },
        "system_fingerprint": None,
    }


def test_a_completion_is_a_message() -> None:
    assert as_message(completion()) == {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "gpt-5.6",
        "content": [TEXT],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 2,
        },
    }


def test_thinking_text_and_calls_of_a_message() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    redacted = {"type": "redacted_thinking", "data": "x"}
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    result = as_chat(message(thought, redacted, TEXT, searched, TEXT, USE, stop_reason="tool_use"))
    assert result["choices"][0]["message"] == {
        "role": "assistant",
        "content": "hellohello",
        "refusal": None,
        "reasoning_content": "hm",
        "tool_calls": [call("toolu_1", "f", '{"a":"é"}')],
    }


def test_content_is_null_beside_calls_and_empty_without() -> None:
    assert as_chat(message(USE))["choices"][0]["message"]["content"] is None
    assert as_chat(message())["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_text_and_calls_of_a_completion(field: str) -> None:
    result = as_message(completion("tool_calls", tool_calls=[call("a", "f", '{"x": 1}'), call("b", "g", "")], **{field: "hm"}))
    assert result["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        TEXT,
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "b", "name": "g", "input": {}},
    ]


def test_content_in_parts_is_text() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert as_message(completion(content=parts))["content"] == [{"type": "text", "text": "ab"}]


@pytest.mark.parametrize("arguments", ['{"x": 1, "y', '{"x": 1e999}', '{"x": NaN}', "[1]"])
def test_arguments_that_are_no_object_are_kept_as_text(arguments: str) -> None:
    result = as_message(completion("length", content=None, tool_calls=[call("a", "f", arguments)]))
    assert result["content"][0]["input"] == {"arguments": arguments}
    assert result["stop_reason"] == "max_tokens"


def test_calls_without_an_id_get_one_each() -> None:
    calls = [{"function": {"name": "f", "arguments": "{}"}}] * 2
    first, second = as_message(completion("tool_calls", content=None, tool_calls=calls))["content"]
    assert first["id"] != second["id"]


@pytest.mark.parametrize(("reason", "finish"), [*FINISH_REASONS.items(), ("something_new", "stop"), (None, "stop")])
def test_stop_reasons(reason: Any, finish: str) -> None:
    assert as_chat(message(TEXT, stop_reason=reason))["choices"][0]["finish_reason"] == finish


@pytest.mark.parametrize(("finish", "reason"), [*STOP_REASONS.items(), ("something_new", "end_turn"), (None, "end_turn")])
def test_finish_reasons(finish: Any, reason: str) -> None:
    assert as_message(completion(finish))["stop_reason"] == reason


def test_all_stop_reasons_of_the_sdks_are_known() -> None:
    assert set(FINISH_REASONS) == set(anthropic.types.StopReason.__args__)  # type: ignore[attr-defined]
    finish = openai.types.chat.chat_completion.Choice.model_fields["finish_reason"].annotation
    assert set(STOP_REASONS) == set(finish.__args__)  # type: ignore[union-attr]


def test_calls_that_end_with_stop_are_calls() -> None:
    assert as_message(completion("stop", content=None, tool_calls=[call("a")]))["stop_reason"] == "tool_use"


def test_the_stop_sequence_that_was_met_where_the_server_says_it() -> None:
    result = as_message(completion("stop", choice={"stop_reason": "END"}))
    assert (result["stop_reason"], result["stop_sequence"]) == ("stop_sequence", "END")
    assert as_message(completion("stop", choice={"stop_reason": 128}))["stop_sequence"] is None


def test_refusals() -> None:
    result = as_message(completion("stop", content=None, refusal="No."))
    assert (result["content"], result["stop_reason"]) == ([{"type": "text", "text": "No."}], "refusal")
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    choice = as_chat(message(stop_reason="refusal", stop_details=details))["choices"][0]
    assert (choice["message"]["refusal"], choice["finish_reason"]) == ("Not this.", "content_filter")


def test_what_a_cache_held_is_part_of_openais_input_and_beside_anthropics() -> None:
    anthropics = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
    }
    openais = {
        "prompt_tokens": 1110,
        "completion_tokens": 50,
        "total_tokens": 1160,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert as_chat(message(usage=anthropics))["usage"] == openais
    assert as_message({**completion(), "usage": openais})["usage"] == anthropics


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None, "completion_tokens": "many"}, "x"])
def test_figures_that_are_none_are_zero(usage: Any) -> None:
    assert as_message({**completion(), "usage": usage})["usage"]["input_tokens"] == 0
    assert as_chat(message(usage=usage))["usage"]["total_tokens"] == 0


def test_deepseeks_figures_of_its_cache() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}
    result = as_message({**completion(), "usage": usage})["usage"]
    assert (result["input_tokens"], result["cache_read_input_tokens"]) == (2, 8)


def test_the_tier_that_served() -> None:
    assert as_chat(message(usage={"service_tier": "priority"}))["service_tier"] == "priority"
    assert as_chat(message(usage={"service_tier": "standard"}))["service_tier"] == "default"


@pytest.mark.parametrize("choices", [[], None, [None], [{"message": None}], "x"])
def test_an_answer_without_anything_in_it_is_an_empty_one(choices: Any) -> None:
    result = as_message({"id": "x", "model": "m", "choices": choices})
    assert (result["content"], result["stop_reason"]) == ([], "end_turn")
