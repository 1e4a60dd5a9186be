"""A chat completions request as one for messages: fields beside the conversation and the tools."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.chat_request import (
    DROPPED,
    ONE_JSON_OBJECT,
    REFUSED,
    TRANSLATED,
    chat_request_to_messages,
)
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import NAMES_AT_MOST
from tests.lambda_runtime.translation.kit import NEW_CLAUDE, OLD_CLAUDE, function, to_messages

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def test_every_field_of_the_sdk_has_its_fate() -> None:
    known = CompletionCreateParamsStreaming.__annotations__.keys()
    assert known <= TRANSLATED | REFUSED.keys() | DROPPED.keys()
    assert not TRANSLATED & REFUSED.keys()
    assert not (TRANSLATED | REFUSED.keys()) & DROPPED.keys()


def test_the_smallest_request() -> None:
    assert to_messages() == (
        {"model": OLD_CLAUDE, "max_tokens": 32_000, "messages": [{"role": "user", "content": "hi"}]},
        (),
    )


def test_a_stream_is_asked_for_as_one() -> None:
    result = to_messages(stream=True, stream_options={"include_usage": True})
    assert (result.body["stream"], result.dropped) == (True, ())
    assert "stream_options" not in result.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n", 2),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("functions", [{"name": "f"}]),
        ("function_call", "auto"),
        ("moderation", {"model": "omni-moderation-latest"}),
        ("web_search_options", {}),
    ],
)
def test_what_changes_the_answer_in_kind_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(UntranslatableError) as caught:
        to_messages(**{field: value})
    assert (caught.value.param, caught.value.code, caught.value.status) == (field, "untranslatable", 400)
    assert caught.value.message.endswith(", or ask for a model that is served in this request's own format.")


@pytest.mark.parametrize(
    ("field", "value"), [("n", 1), ("logprobs", False), ("top_logprobs", 0), ("modalities", ["text"]), ("audio", None)]
)
def test_the_same_fields_at_rest_are_no_matter(field: str, value: Any) -> None:
    assert to_messages(**{field: value}) == to_messages()


@pytest.mark.parametrize("field", sorted({*DROPPED, "brand_new_field"}))
def test_what_has_no_counterpart_is_dropped_and_reported(field: str) -> None:
    result = to_messages(**{field: {"some": "value"}})
    assert result == (to_messages().body, (field,))


@pytest.mark.parametrize(
    ("field", "value"), [(name, value) for name, values in DROPPED.items() for value in (*values, None, {})]
)
def test_what_says_nothing_is_not_reported(field: str, value: Any) -> None:
    assert to_messages(**{field: value}).dropped == ()


def test_names_that_a_header_cannot_hold_are_not_said() -> None:
    odd = {"a\r\nx-evil: 1": 1, "é": 1, "x" * 65: 1, "": 1, "fine-name_1": 1}
    assert to_messages(**odd).dropped == ("unknown", "fine-name_1")


def test_names_are_reported_up_to_a_number() -> None:
    assert len(to_messages(**{f"x{index}": 1 for index in range(100)}).dropped) == NAMES_AT_MOST


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": None}, 32_000),
    ],
)
def test_limits(fields: dict[str, Any], limit: int) -> None:
    assert to_messages(**fields).body["max_tokens"] == limit


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (NEW_CLAUDE, 32_000),
        ("claude-3-5-haiku-20241022", 8192),
        ("claude-3-haiku-20240307", 4096),
        ("deepseek-flash", 8192),
    ],
)
def test_the_limit_that_anthropic_needs_and_openai_does_not(model: str, limit: int) -> None:
    assert to_messages(model).body["max_tokens"] == limit


@pytest.mark.parametrize(
    ("model", "given", "sent", "dropped"),
    [
        (OLD_CLAUDE, {"temperature": 0.3}, {"temperature": 0.3}, ()),
        (OLD_CLAUDE, {"temperature": 1.7}, {"temperature": 1}, ("temperature",)),
        (OLD_CLAUDE, {"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3, "top_p": 0.5}, ()),
        ("claude-haiku-4-5", {"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3}, ("top_p",)),
        ("claude-haiku-4-5", {"temperature": 0.3, "top_p": 1}, {"temperature": 0.3}, ()),
        (OLD_CLAUDE, {"top_k": 5}, {"top_k": 5}, ()),
        (NEW_CLAUDE, {"temperature": 0.3, "top_p": 0.5, "top_k": 5}, {}, ("temperature", "top_p", "top_k")),
        (NEW_CLAUDE, {"temperature": 1, "top_p": 1.0}, {}, ()),
        ("deepseek-flash", {"temperature": 1.5, "top_p": 0.5}, {"temperature": 1, "top_p": 0.5}, ("temperature",)),
    ],
)
def test_sampling(model: str, given: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]) -> None:
    result = to_messages(model, **given)
    assert {name: result.body[name] for name in ("temperature", "top_p", "top_k") if name in result.body} == sent
    assert result.dropped == dropped


@pytest.mark.parametrize(
    ("stop", "sent", "dropped"),
    [
        ("END", ["END"], ()),
        (["a", "b"], ["a", "b"], ()),
        (["a", "\n"], ["a"], ("stop",)),
        ("\n", None, ("stop",)),
        ([], None, ()),
        (None, None, ()),
    ],
)
def test_stop_sequences(stop: Any, sent: Any, dropped: tuple[str, ...]) -> None:
    result = to_messages(stop=stop)
    assert (result.body.get("stop_sequences"), result.dropped) == (sent, dropped)


@pytest.mark.parametrize(
    ("fields", "metadata", "dropped"),
    [
        ({"user": "u1"}, {"user_id": "u1"}, ()),
        ({"safety_identifier": "s1"}, {"user_id": "s1"}, ()),
        ({"user": "u1", "safety_identifier": "s1"}, {"user_id": "s1"}, ("user",)),
        ({"user": "u1", "safety_identifier": "u1"}, {"user_id": "u1"}, ()),
        ({"user": "someone@example.org"}, None, ("user",)),
        ({"user": "x" * 257}, None, ("user",)),
        ({"metadata": {"team": "search"}}, None, ("metadata",)),
    ],
)
def test_on_whose_behalf(fields: dict[str, Any], metadata: Any, dropped: tuple[str, ...]) -> None:
    result = to_messages(**fields)
    assert (result.body.get("metadata"), result.dropped) == (metadata, dropped)


@pytest.mark.parametrize(
    ("tier", "sent", "dropped"),
    [("auto", "auto", ()), ("default", "standard_only", ()), ("flex", None, ("service_tier",)), (None, None, ())],
)
def test_service_tiers(tier: Any, sent: Any, dropped: tuple[str, ...]) -> None:
    result = to_messages(service_tier=tier)
    assert (result.body.get("service_tier"), result.dropped) == (sent, dropped)


def test_a_schema_for_the_answer() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "description": "An x.", "strict": True, "schema": SCHEMA}}
    result = to_messages(response_format=form)
    assert result.body["output_config"] == {"format": {"type": "json_schema", "schema": {**SCHEMA, "description": "An x."}}}
    assert result.dropped == ()


def test_a_schemas_constraints_that_no_grammar_holds_are_told_the_model() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 2, "description": "A."}}}
    result = to_messages(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    sent = result.body["output_config"]["format"]["schema"]
    assert sent["properties"]["a"] == {"type": "string", "description": "A.\n\n{minLength: 2}"}
    assert sent["additionalProperties"] is False
    assert result.dropped == ("response_format.json_schema.schema",)


def test_a_json_object_is_asked_for_in_words() -> None:
    result = to_messages(response_format={"type": "json_object"})
    assert (result.body["system"], result.dropped) == (ONE_JSON_OBJECT, ("response_format",))


def test_text_is_what_it_is_by_itself() -> None:
    assert to_messages(response_format={"type": "text"}) == to_messages()


def test_schema_and_effort_share_a_field() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    config = to_messages(NEW_CLAUDE, response_format=form, reasoning_effort="high").body["output_config"]
    assert config == {"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "high"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop": [1]}, "stop[0]"),
        ({"user": 5}, "user"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.schema"),
        ({"tools": [function()], "tool_choice": "perhaps"}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": {}, "tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
    ],
)
def test_malformed_requests_name_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        to_messages(**fields)
    assert caught.value.param == param
    assert caught.value.status == 400


def test_a_request_that_is_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(RequestError, match="deep"):
        chat_request_to_messages({"messages": [{"role": "user", "content": "x"}], "response_format": form}, model=OLD_CLAUDE)
