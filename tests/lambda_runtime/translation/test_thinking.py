"""How much a model is to think, in both directions, model by model."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.translation.claude_models import claude_model
from lambda_runtime.translation.openai_models import chat_model
from tests.lambda_runtime.translation.kit import call, function, to_chat, to_messages

TOOL = {"name": "f", "input_schema": {"type": "object"}}
ADAPTIVE, DISABLED = {"type": "adaptive"}, {"type": "disabled"}


@pytest.mark.parametrize(
    ("name", "family", "version"),
    [
        ("claude-opus-5-5", "opus", (5, 5)),
        ("claude-opus-4-20250514", "opus", (4, 0)),
        ("claude-opus-4-5-20251101", "opus", (4, 5)),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "sonnet", (3, 7)),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "sonnet", (4, 5)),
        ("anthropic.claude-opus-5-20260724-v1:0", "opus", (5, 0)),
        ("claude-opus-4-1@20250805", "opus", (4, 1)),
        ("anthropic/claude-sonnet-4.5", "sonnet", (4, 5)),
        ("Claude-Fable-5-1", "fable", (5, 1)),
        ("claude-mythos-preview", "mythos", (99, 0)),
        ("claude-latest", "", (99, 0)),
        ("claude-2.1", "", (2, 1)),
        ("claude", "", (99, 0)),
    ],
)
def test_names_of_claude_models(name: str, family: str, version: tuple[int, int]) -> None:
    assert claude_model(name) == (family, version)


def test_other_makers_models_are_no_claude() -> None:
    assert claude_model("deepseek-v4-pro") is None


@pytest.mark.parametrize(
    ("name", "series", "version"),
    [
        ("gpt-4o", "gpt", (4, 0)),
        ("gpt-4.1-mini", "gpt", (4, 1)),
        ("gpt-3.5-turbo", "gpt", (3, 5)),
        ("gpt-35-turbo", "gpt", (3, 5)),
        ("gpt-5.6-terra", "gpt", (5, 6)),
        ("openai/gpt-5", "gpt", (5, 0)),
        ("gpt-6-astra", "gpt", (6, 0)),
        ("ft:gpt-4o-mini:org::id", "gpt", (4, 0)),
        ("chatgpt-4o-latest", "gpt", (4, 0)),
        ("o3-mini", "o", (3, 0)),
        ("o1", "o", (1, 0)),
        ("gpt-oss-120b", "", (0, 0)),
        ("olmo-2", "", (0, 0)),
        ("o1js", "", (0, 0)),
        ("deepseek-v4-pro", "", (0, 0)),
    ],
)
def test_names_of_chat_models(name: str, series: str, version: tuple[int, int]) -> None:
    model = chat_model(name)
    assert (model.series, model.version) == (series, version)


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "sent", "dropped"),
    [
        ("claude-opus-5-5", "high", None, "high", ()),
        ("claude-opus-5-5", "minimal", None, "low", ()),
        ("claude-opus-5-5", "max", None, "max", ()),
        ("claude-opus-5-5", "none", None, "low", ("reasoning_effort",)),
        ("claude-fable-5-1", "none", None, "low", ("reasoning_effort",)),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None, ()),
        ("claude-haiku-5-5", "none", DISABLED, None, ()),
        ("claude-opus-5", "none", DISABLED, None, ()),
        ("claude-opus-4-8", "none", None, None, ()),
        ("claude-opus-4-8", "xhigh", ADAPTIVE, "xhigh", ()),
        ("claude-opus-4-6", "xhigh", ADAPTIVE, "high", ("reasoning_effort",)),
        ("claude-opus-4-6", "max", ADAPTIVE, "max", ()),
        ("claude-opus-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}, "medium", ()),
        ("claude-haiku-4-5", "low", {"type": "enabled", "budget_tokens": 2048}, None, ()),
        ("claude-haiku-4-5", "none", None, None, ()),
        ("claude-3-5-sonnet-20241022", "high", None, None, ("reasoning_effort",)),
        ("deepseek-v4-pro", "medium", None, "medium", ()),
        ("deepseek-v4-pro", "none", DISABLED, None, ()),
    ],
)
def test_effort_for_claude(model: str, effort: str, thinking: Any, sent: Any, dropped: tuple[str, ...]) -> None:
    result = to_messages(model, reasoning_effort=effort)
    config = result.body.get("output_config", {})
    assert (result.body.get("thinking"), config.get("effort"), result.dropped) == (thinking, sent, dropped)


@pytest.mark.parametrize(("limit", "budget"), [(40_000, 16_384), (8000, 4000), (1500, 1024), (1024, None)])
def test_a_budget_leaves_room_for_the_answer(limit: int, budget: int | None) -> None:
    result = to_messages("claude-haiku-4-5", reasoning_effort="high", max_tokens=limit)
    assert result.body.get("thinking", {}).get("budget_tokens") == budget
    assert result.dropped == (() if budget else ("reasoning_effort",))


def test_thinking_excludes_sampling() -> None:
    result = to_messages("claude-opus-4-6", reasoning_effort="low", temperature=0.5, top_p=0.9)
    assert result.dropped == ("temperature", "top_p")


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-haiku-4-5"])
def test_thinking_excludes_forced_tools(model: str) -> None:
    result = to_messages(model, reasoning_effort="low", tools=[function()], tool_choice="required")
    assert ("thinking" in result.body, result.dropped) == (False, ("reasoning_effort",))


@pytest.mark.parametrize(("model", "thinks"), [("claude-opus-4-6", True), ("claude-haiku-4-5", False)])
def test_older_models_do_not_think_in_the_middle_of_tools(model: str, *, thinks: bool) -> None:
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [call("a")]},
        {"role": "tool", "tool_call_id": "a", "content": "x"},
    ]
    result = to_messages(model, messages=messages, reasoning_effort="low", tools=[function()])
    assert ("thinking" in result.body, result.dropped) == (thinks, () if thinks else ("reasoning_effort",))


def test_anthropics_own_field_is_the_clients_to_say() -> None:
    thinking = {"type": "enabled", "budget_tokens": 3000}
    assert to_messages("claude-haiku-4-5", thinking=thinking).body["thinking"] == thinking


@pytest.mark.parametrize(
    ("model", "fields", "sent", "dropped"),
    [
        ("gpt-5.6", {"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}, ()),
        ("gpt-5.2", {"output_config": {"effort": "max"}}, {"reasoning_effort": "xhigh"}, ("output_config.effort",)),
        ("gpt-5.1", {"thinking": DISABLED}, {"reasoning_effort": "none"}, ()),
        ("gpt-5", {"thinking": DISABLED}, {"reasoning_effort": "minimal"}, ("thinking",)),
        ("o3", {"thinking": {"type": "enabled", "budget_tokens": 30_000}}, {"reasoning_effort": "high"}, ()),
        ("o3", {"thinking": {"type": "enabled", "budget_tokens": 5000}}, {"reasoning_effort": "medium"}, ()),
        ("o3", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, {"reasoning_effort": "low"}, ()),
        ("o3", {"thinking": ADAPTIVE}, {}, ()),
        ("gpt-4.1", {"thinking": DISABLED}, {}, ()),
        ("gpt-4.1", {"thinking": ADAPTIVE, "output_config": {"effort": "low"}}, {}, ("output_config.effort",)),
        ("gpt-5-chat-latest", {"output_config": {"effort": "low"}}, {}, ("output_config.effort",)),
        ("gpt-5.6", {"tools": [TOOL]}, {"reasoning_effort": "none"}, ()),
        ("gpt-5.6", {"tools": [TOOL], "thinking": DISABLED}, {"reasoning_effort": "none"}, ()),
        (
            "gpt-5.4",
            {"tools": [TOOL], "output_config": {"effort": "high"}},
            {"reasoning_effort": "none"},
            ("output_config.effort",),
        ),
        ("gpt-5.2", {"tools": [TOOL], "output_config": {"effort": "high"}}, {"reasoning_effort": "high"}, ()),
        ("deepseek-v4-pro", {"thinking": DISABLED}, {"thinking": DISABLED}, ()),
        ("mistral-large", {"thinking": DISABLED}, {}, ("thinking",)),
        ("qwen3", {"output_config": {"effort": "xhigh"}}, {"reasoning_effort": "high"}, ("output_config.effort",)),
    ],
)
def test_effort_for_chat(model: str, fields: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]) -> None:
    result = to_chat(model, **fields)
    found = {name: result.body[name] for name in ("reasoning_effort", "thinking") if name in result.body}
    assert (found, result.dropped) == (sent, dropped)


@pytest.mark.parametrize(
    ("model", "fields", "sent", "dropped"),
    [
        ("gpt-4.1", {"temperature": 0.4, "top_p": 0.5}, {"temperature": 0.4, "top_p": 0.5}, ()),
        ("o3", {"temperature": 0.4, "top_p": 0.5}, {}, ("temperature", "top_p")),
        ("o3", {"temperature": 1.0}, {}, ()),
        ("gpt-5.2", {"temperature": 0.4, "thinking": DISABLED}, {"temperature": 0.4}, ()),
        ("o3", {"stop_sequences": ["x"]}, {}, ("stop_sequences",)),
        ("gpt-4.1", {"stop_sequences": ["x"]}, {"stop": ["x"]}, ()),
    ],
)
def test_models_that_reason_take_no_sampling(
    model: str, fields: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    result = to_chat(model, **fields)
    assert ({name: result.body[name] for name in ("temperature", "top_p", "stop") if name in result.body}, result.dropped) == (
        sent,
        dropped,
    )
