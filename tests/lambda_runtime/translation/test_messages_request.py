"""A messages request as one for chat completions."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.messages_request import DROPPED, REFUSED, TRANSLATED
from tests.lambda_runtime.translation.kit import PIXEL, PLAIN_GPT, to_chat

USER = {"role": "user", "content": "hi"}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
SHUT = {"additionalProperties": False}
CLOSED = {**OPEN, **SHUT, "required": ["a"]}


def said(*messages: dict[str, Any], model: str = PLAIN_GPT, **fields: Any) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = to_chat(model, messages=list(messages), **fields).body["messages"]
    return result


def by_user(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return said({"role": "user", "content": list(blocks)})


def use(identity: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": "f", "input": given}


def result_of(identity: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identity, **fields}


def test_every_field_of_the_sdk_has_its_fate() -> None:
    known = MessageCreateParamsStreaming.__annotations__.keys()
    assert known <= TRANSLATED | REFUSED.keys() | DROPPED.keys()
    assert not TRANSLATED & REFUSED.keys()
    assert not (TRANSLATED | REFUSED.keys()) & DROPPED.keys()


def test_the_smallest_request() -> None:
    assert to_chat() == ({"model": PLAIN_GPT, "messages": [USER], "max_completion_tokens": 10}, ())


def test_other_makers_servers_know_the_old_limit() -> None:
    assert to_chat("qwen3").body["max_tokens"] == 10


def test_a_stream_asks_for_figures() -> None:
    body = to_chat(stream=True).body
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


@pytest.mark.parametrize(
    ("field", "value"),
    [("container", "c"), ("inference_geo", "us"), ("mcp_servers", [{"type": "url", "url": "https://x.org"}])],
)
def test_what_changes_the_answer_in_kind_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(UntranslatableError) as caught:
        to_chat(**{field: value})
    assert caught.value.param == field


@pytest.mark.parametrize("field", sorted({*DROPPED, "brand_new_field"}))
def test_what_has_no_counterpart_is_dropped_and_reported(field: str) -> None:
    assert to_chat(**{field: {"some": "value"}}) == (to_chat().body, (field,))


@pytest.mark.parametrize(
    ("fields"), [{"speed": "standard"}, {"inference_geo": "global"}, {"container": None}, {"betas": []}, {"metadata": {}}]
)
def test_what_says_nothing_is_not_reported(fields: dict[str, Any]) -> None:
    assert to_chat(**fields) == to_chat()


def test_the_system_prompt_is_a_message() -> None:
    assert said(USER, system="be kind")[0] == {"role": "system", "content": "be kind"}
    blocks = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]
    result = to_chat(system=blocks)
    assert result.body["messages"][0] == {"role": "system", "content": "a\n\nb"}
    assert result.dropped == ("system.cache_control",)


def test_what_is_dropped_is_called_by_its_place() -> None:
    block = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    messages = [USER, {"role": "system", "content": [block]}, {"role": "user", "content": [block]}]
    assert to_chat(messages=messages).dropped == ("messages.content.cache_control",)
    assert to_chat(messages=messages, system=[block]).dropped == ("system.cache_control", "messages.content.cache_control")


def test_system_messages_in_mid_conversation_stay_where_they_are() -> None:
    assert [message["role"] for message in said(USER, {"role": "system", "content": "x"}, USER)] == ["user", "system", "user"]


def test_neighbours_of_the_same_role_are_one_turn() -> None:
    assert said(USER, USER) == [{"role": "user", "content": [{"type": "text", "text": "hi"}] * 2}]


def test_calls_and_results() -> None:
    messages = said(
        USER,
        {"role": "assistant", "content": [{"type": "text", "text": "Let me "}, use("a", x="é")]},
        {"role": "assistant", "content": [{"type": "text", "text": "see."}, use("b")]},
        {
            "role": "user",
            "content": [
                result_of("a", content="one"),
                result_of("b", content=[{"type": "text", "text": "two"}, {"type": "text", "text": "three"}]),
                result_of("c"),
                {"type": "text", "text": "and?"},
            ],
        },
    )
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":"é"}'}},
                {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "tool", "tool_call_id": "b", "content": "two\nthree"},
        {"role": "tool", "tool_call_id": "c", "content": ""},
        {"role": "user", "content": "and?"},
    ]


@pytest.mark.parametrize(("text", "sent"), [("no such file", "Error: no such file"), ("Error 5", "Error 5"), ("", "Error: ")])
def test_a_result_that_is_an_error_says_so(text: str, sent: str) -> None:
    assert by_user(result_of("a", content=text, is_error=True)) == [{"role": "tool", "tool_call_id": "a", "content": sent}]


def test_images_of_a_result_go_beside_it() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}
    assert by_user(result_of("a", content=[{"type": "text", "text": "look"}, picture]), {"type": "text", "text": "well?"}) == [
        {"role": "tool", "tool_call_id": "a", "content": "look"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Belongs to the result of the tool call a:"},
                {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
                {"type": "text", "text": "well?"},
            ],
        },
    ]


def test_images_and_documents() -> None:
    sources = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}},
        {"type": "document", "title": "T", "context": "C", "source": {"type": "text", "media_type": "text/plain", "data": "D"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]}},
        {"type": "search_result", "source": "https://x.org", "title": "S", "content": [{"type": "text", "text": "found"}]},
    ]
    (message,) = by_user(*sources)
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "text", "text": "T"},
        {"type": "text", "text": "C"},
        {"type": "text", "text": "D"},
        {"type": "text", "text": "inner"},
        {"type": "text", "text": "S\nhttps://x.org"},
        {"type": "text", "text": "found"},
    ]


def test_a_files_title_is_its_name() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    (message,) = by_user({"type": "document", "title": "a.pdf", "context": "C", "source": source})
    assert [part["type"] for part in message["content"]] == ["text", "file"]
    assert message["content"][1]["file"]["filename"] == "a.pdf"


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}
REDACTED = {"type": "redacted_thinking", "data": "xx"}


def test_thinking_in_the_history_is_dropped_and_reported() -> None:
    result = to_chat(
        messages=[USER, {"role": "assistant", "content": [THOUGHT, REDACTED, {"type": "text", "text": "x"}]}, USER]
    )
    assert result.body["messages"][1] == {"role": "assistant", "content": "x"}
    assert result.dropped == ("messages.content.thinking", "messages.content.redacted_thinking")


def test_or_sent_to_models_that_want_it_back() -> None:
    result = to_chat("deepseek-v4-pro", messages=[USER, {"role": "assistant", "content": [THOUGHT, use("a")]}, USER])
    assert result.body["messages"][1]["reasoning_content"] == "hm"
    assert result.dropped == ()


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([USER, {"role": "assistant", "content": "The answer is"}], "messages"),
        ([{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}], "messages[0].content[0].source"),
        ([{"role": "user", "content": [{"type": "document", "source": {"type": "url"}}]}], "messages[0].content[0].source"),
        ([USER, {"role": "assistant", "content": [{"type": "server_tool_use"}]}, USER], "messages[1].content[0]"),
        (
            [{"role": "user", "content": [result_of("a", content=[{"type": "browser_state"}])]}],
            "messages[0].content[0].content[0]",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_by_its_place(messages: list[Any], param: str) -> None:
    with pytest.raises(UntranslatableError) as caught:
        said(*messages)
    assert caught.value.param == param


def test_tools() -> None:
    tool = {"name": "f", "description": "does", "input_schema": OPEN, "cache_control": {"type": "ephemeral"}, "type": "custom"}
    result = to_chat(tools=[tool])
    assert result.body["tools"] == [{"type": "function", "function": {"name": "f", "description": "does", "parameters": OPEN}}]
    assert result.dropped == ("tools.cache_control",)


@pytest.mark.parametrize(
    ("schema", "strict", "dropped"),
    [
        (CLOSED, True, ()),
        (
            {"type": "object", "properties": {"list": {"type": "array", "items": CLOSED}}, **SHUT, "required": ["list"]},
            True,
            (),
        ),
        (OPEN, None, ("tools.strict",)),
        ({**OPEN, **SHUT}, None, ("tools.strict",)),
        ({**CLOSED, "properties": {"a": OPEN}}, None, ("tools.strict",)),
        ({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, OPEN]}}}, None, ("tools.strict",)),
        ({**CLOSED, "$defs": {"x": OPEN}}, None, ("tools.strict",)),
    ],
)
def test_strict_tools(schema: dict[str, Any], strict: Any, dropped: tuple[str, ...]) -> None:
    result = to_chat(tools=[{"name": "f", "strict": True, "input_schema": schema}])
    assert (result.body["tools"][0]["function"].get("strict"), result.dropped) == (strict, dropped)


@pytest.mark.parametrize(
    ("choice", "sent", "parallel"),
    [
        (None, None, None),
        ({"type": "auto"}, None, None),
        ({"type": "auto", "disable_parallel_tool_use": True}, None, False),
        ({"type": "any"}, "required", None),
        ({"type": "none"}, "none", None),
        (
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            {"type": "function", "function": {"name": "f"}},
            False,
        ),
    ],
)
def test_choices(choice: Any, sent: Any, parallel: Any) -> None:
    body = to_chat(tools=[{"name": "f", "input_schema": OPEN}], tool_choice=choice).body
    assert (body.get("tool_choice"), body.get("parallel_tool_calls")) == (sent, parallel)


@pytest.mark.parametrize("kind", ["web_search_20250305", "bash_20250124", "computer_toolset_20260801"])
def test_anthropics_own_tools_are_refused(kind: str) -> None:
    with pytest.raises(UntranslatableError, match=kind) as caught:
        to_chat(tools=[{"type": kind, "name": "x"}])
    assert caught.value.param == "tools[0].type"


@pytest.mark.parametrize("field", ["output_config", "output_format"])
@pytest.mark.parametrize(("schema", "strict"), [(CLOSED, True), (OPEN, False)])
def test_a_schema_for_the_answer(field: str, schema: dict[str, Any], *, strict: bool) -> None:
    form = {"type": "json_schema", "schema": schema}
    result = to_chat(**{field: {"format": form} if field == "output_config" else form})
    assert result.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": strict},
    }
    name = "output_config.format" if field == "output_config" else field
    assert result.dropped == (() if strict else (name,))


@pytest.mark.parametrize(
    ("metadata", "user", "dropped"),
    [
        ({"user_id": "u"}, "u", ()),
        ({"user_id": "u" * 64, "team": "x"}, "u" * 64, ("metadata.team",)),
        ({"user_id": "user_abc_account_def"}, "user_abc_account_def", ()),
        ({"user_id": None}, None, ()),
    ],
)
def test_on_whose_behalf(metadata: dict[str, Any], user: Any, dropped: tuple[str, ...]) -> None:
    result = to_chat(metadata=metadata)
    assert (result.body.get("user"), result.dropped) == (user, dropped)


def test_a_long_user_id_is_digested_the_same_each_time() -> None:
    first, second = (to_chat(metadata={"user_id": "u" * 200}).body["user"] for _ in range(2))
    assert (first, len(first)) == (second, 64)


@pytest.mark.parametrize(
    ("tier", "sent", "dropped"),
    [("auto", "auto", ()), ("standard_only", "default", ()), ("x", None, ("service_tier",))],
)
def test_service_tiers(tier: str, sent: Any, dropped: tuple[str, ...]) -> None:
    result = to_chat(service_tier=tier)
    assert (result.body.get("service_tier"), result.dropped) == (sent, dropped)


def test_openai_takes_four_stop_sequences() -> None:
    assert to_chat(stop_sequences=list("abcd")).body["stop"] == list("abcd")
    assert to_chat("qwen3", stop_sequences=list("abcde")).body["stop"] == list("abcde")
    with pytest.raises(UntranslatableError, match="4"):
        to_chat(stop_sequences=list("abcde"))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "messages[0].content[0].tool_use_id"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "x"}}, "tool_choice.type"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"temperature": []}, "temperature"),
    ],
)
def test_malformed_requests_name_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        to_chat(**fields)
    assert caught.value.param == param
