"""Tools of a chat completions request as Anthropic's."""

from __future__ import annotations

from typing import Any, NamedTuple

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.claude_models import ClaudeModel
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import EMPTY, Dropped, list_at, object_at, text_at
from lambda_runtime.translation.schemas import schema_for_messages

_KNOWN_OF_TOOL = frozenset({"type", "function", "cache_control"})
_KNOWN_OF_FUNCTION = frozenset({"name", "description", "parameters", "strict"})


class Tools(NamedTuple):
    """What a request says of tools, in Anthropic's terms.

    Args:
        fields: `tools` and `tool_choice`, as far as there are any.
        forced: whether the model must call a tool.
        instruction: what the system prompt must say instead of a choice that the model does not take; empty for nothing.
    """

    fields: dict[str, Any]
    forced: bool = False
    instruction: str = ""


def read_tools(body: dict[str, Any], claude: ClaudeModel | None, dropped: Dropped) -> Tools:
    """Read `tools`, `tool_choice` and `parallel_tool_calls`.

    Raises:
        RequestError: if they are malformed, or say what cannot be said in Anthropic's format.
    """
    given = body.get("tools")
    if given in EMPTY:
        if body.get("tool_choice") not in (None, "auto", "none"):
            raise RequestError("tool_choice needs tools", param="tool_choice")
        return Tools({})
    strict = claude is not None and claude.takes_strict_schemas
    tools = [_tool(tool, f"tools[{index}]", dropped, strict=strict) for index, tool in enumerate(list_at(given, "tools"))]
    choice, allowed = _choice(body.get("tool_choice"))
    if allowed is not None:
        tools = [tool for tool in tools if tool["name"] in allowed]
    instruction = ""
    if choice["type"] in ("any", "tool") and claude is not None and not claude.takes_forced_tools:
        dropped.add("tool_choice")
        name = choice.get("name")
        instruction = f"Answer by calling the tool {name}." if name else "Answer by calling one of the tools."
        choice = {"type": "auto"}
    if body.get("parallel_tool_calls") is False and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    fields: dict[str, Any] = {"tools": tools}
    if choice != {"type": "auto"}:
        fields["tool_choice"] = choice
    return Tools(fields, choice["type"] in ("any", "tool"), instruction)


def _tool(value: Any, path: str, dropped: Dropped, *, strict: bool) -> dict[str, Any]:
    given = object_at(value, path)
    if given.get("type") != "function":
        kind = str(given.get("type"))[:40]
        raise UntranslatableError(
            f"{path}.type", f"A tool of type {kind!r} cannot be offered to Anthropic's models", "Offer it as a function"
        )
    function = object_at(given.get("function"), f"{path}.function")
    dropped.others(given, _KNOWN_OF_TOOL, "tools.")
    dropped.others(function, _KNOWN_OF_FUNCTION, "tools.function.")
    tool: dict[str, Any] = {"name": text_at(function.get("name"), f"{path}.function.name", empty=False)}
    if function.get("description"):
        tool["description"] = text_at(function["description"], f"{path}.function.description")
    schema = function.get("parameters")
    schema = {} if schema is None else object_at(schema, f"{path}.function.parameters")
    if schema.get("type") != "object":
        schema = {"properties": {}, **schema, "type": "object"}
    if function.get("strict"):
        if strict:
            schema, less = schema_for_messages(schema)
            tool["strict"] = True
            if less:
                dropped.add("tools.function.parameters")
        else:
            dropped.add("tools.function.strict")
    tool["input_schema"] = schema
    if isinstance(given.get("cache_control"), dict):
        tool["cache_control"] = given["cache_control"]
    return tool


def _choice(value: Any) -> tuple[dict[str, Any], list[str] | None]:
    """Anthropic's choice, and the only tools that may be called, if not all of them."""
    if value is None or value == "auto":
        return {"type": "auto"}, None
    if value == "none":
        return {"type": "none"}, None
    if value == "required":
        return {"type": "any"}, None
    if isinstance(value, str):
        raise RequestError("tool_choice must be none, auto, required or an object", param="tool_choice")
    choice = object_at(value, "tool_choice")
    if choice.get("type") == "function":
        return {"type": "tool", "name": _name_of(choice, "tool_choice")}, None
    if choice.get("type") == "allowed_tools":
        allowed = object_at(choice.get("allowed_tools"), "tool_choice.allowed_tools")
        path = "tool_choice.allowed_tools.tools"
        tools = [object_at(tool, f"{path}[{index}]") for index, tool in enumerate(list_at(allowed.get("tools"), path))]
        mode = "any" if allowed.get("mode") == "required" else "auto"
        return {"type": mode}, [_name_of(tool, f"{path}[{index}]") for index, tool in enumerate(tools)]
    raise UntranslatableError(
        "tool_choice.type", f"A choice of type {str(choice.get('type'))[:40]!r} has no counterpart", "Name a function"
    )


def _name_of(holder: dict[str, Any], path: str) -> str:
    function = object_at(holder.get("function"), f"{path}.function")
    return text_at(function.get("name"), f"{path}.function.name", empty=False)
