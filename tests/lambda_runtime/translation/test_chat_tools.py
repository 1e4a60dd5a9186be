"""Tools of chat completions as Anthropic's."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.translation.errors import UntranslatableError
from tests.lambda_runtime.translation.kit import NEW_CLAUDE, OLD_CLAUDE, function, to_messages

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "maximum": 3}}}


def test_a_tool() -> None:
    result = to_messages(tools=[function("f", description="does", parameters=SCHEMA)])
    assert result.body["tools"] == [{"name": "f", "description": "does", "input_schema": SCHEMA}]
    assert "tool_choice" not in result.body


@pytest.mark.parametrize("parameters", [None, {}])
def test_a_tool_without_parameters(parameters: Any) -> None:
    tools = to_messages(tools=[function("f", parameters=parameters)]).body["tools"]
    assert tools == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]


def test_strict_tools_where_they_are_known() -> None:
    result = to_messages(NEW_CLAUDE, tools=[function("f", strict=True, parameters=SCHEMA)])
    (tool,) = result.body["tools"]
    assert tool["strict"] is True
    assert tool["input_schema"] == {
        "type": "object",
        "properties": {"a": {"type": "integer", "description": "{maximum: 3}"}},
        "additionalProperties": False,
    }
    assert result.dropped == ("tools.function.parameters",)


@pytest.mark.parametrize("model", [OLD_CLAUDE, "deepseek-flash"])
def test_strict_tools_where_they_are_not(model: str) -> None:
    result = to_messages(model, tools=[function("f", strict=True, parameters=SCHEMA)])
    assert (result.body["tools"][0].get("strict"), result.dropped) == (None, ("tools.function.strict",))


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("auto", None),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (function("g"), {"type": "tool", "name": "g"}),
    ],
)
def test_choices(choice: Any, sent: Any) -> None:
    result = to_messages(tools=[function("f"), function("g")], tool_choice=choice)
    assert (result.body.get("tool_choice"), result.dropped) == (sent, ())


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time(choice: Any, sent: Any) -> None:
    assert to_messages(tools=[function()], tool_choice=choice, parallel_tool_calls=False).body["tool_choice"] == sent


@pytest.mark.parametrize(("mode", "sent"), [("auto", None), ("required", {"type": "any"})])
def test_allowed_tools_are_the_only_ones_offered(mode: str, sent: Any) -> None:
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [function("g")]}}
    result = to_messages(tools=[function("f"), function("g")], tool_choice=choice)
    assert [tool["name"] for tool in result.body["tools"]] == ["g"]
    assert result.body.get("tool_choice") == sent


@pytest.mark.parametrize(("choice", "words"), [("required", "calling one of the tools"), (function("f"), "calling the tool f")])
def test_models_that_cannot_be_forced_are_asked(choice: Any, words: str) -> None:
    result = to_messages(NEW_CLAUDE, tools=[function("f")], tool_choice=choice)
    assert words in result.body["system"]
    assert ("tool_choice" in result.body, result.dropped) == (False, ("tool_choice",))


def test_a_choice_of_nothing_is_left_out_without_tools() -> None:
    assert to_messages(tool_choice="none", parallel_tool_calls=True, tools=[]) == to_messages()


@pytest.mark.parametrize("tool", [{"type": "custom", "custom": {"name": "f"}}, {"type": "web_search"}, {}])
def test_other_tools_are_refused(tool: dict[str, Any]) -> None:
    with pytest.raises(UntranslatableError) as caught:
        to_messages(tools=[function(), tool])
    assert caught.value.param == "tools[1].type"


def test_other_choices_are_refused() -> None:
    with pytest.raises(UntranslatableError):
        to_messages(tools=[function()], tool_choice={"type": "custom", "custom": {"name": "f"}})
