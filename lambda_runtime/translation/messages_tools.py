"""Tools of a messages request as those of chat completions."""

from __future__ import annotations

from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import EMPTY, Dropped, list_at, object_at, text_at
from lambda_runtime.translation.schemas import is_strict

_KNOWN = frozenset({"type", "name", "description", "input_schema", "strict"})


def read_tools(body: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """Read `tools` and `tool_choice`.

    Returns:
        The fields `tools`, `tool_choice` and `parallel_tool_calls`, as far as there are any.

    Raises:
        RequestError: if they are malformed, or say what chat completions cannot say.
    """
    given, choice = body.get("tools"), body.get("tool_choice")
    if given in EMPTY:
        if isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
            raise RequestError("tool_choice needs tools", param="tool_choice")
        return {}
    fields: dict[str, Any] = {
        "tools": [_tool(tool, f"tools[{index}]", dropped) for index, tool in enumerate(list_at(given, "tools"))]
    }
    if choice is None:
        return fields
    choice = object_at(choice, "tool_choice")
    match choice.get("type"):
        case "auto":
            pass  # what it is by itself
        case "any":
            fields["tool_choice"] = "required"
        case "none":
            fields["tool_choice"] = "none"
        case "tool":
            name = text_at(choice.get("name"), "tool_choice.name", empty=False)
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
        case _:
            raise RequestError("tool_choice.type must be auto, any, tool or none", param="tool_choice.type")
    if choice.get("disable_parallel_tool_use") is True:
        fields["parallel_tool_calls"] = False
    return fields


def _tool(value: Any, path: str, dropped: Dropped) -> dict[str, Any]:
    given = object_at(value, path)
    if given.get("type") not in (None, "custom"):
        kind = str(given["type"])[:40]
        raise UntranslatableError(f"{path}.type", f"The tool {kind!r} is Anthropic's own", "Offer one with a schema of yours")
    dropped.others(given, _KNOWN, "tools.")
    function: dict[str, Any] = {"name": text_at(given.get("name"), f"{path}.name", empty=False)}
    if given.get("description"):
        function["description"] = text_at(given["description"], f"{path}.description")
    schema = object_at(given.get("input_schema"), f"{path}.input_schema")
    function["parameters"] = schema
    if given.get("strict"):
        if is_strict(schema):
            function["strict"] = True
        else:
            dropped.add("tools.strict")
    return {"type": "function", "function": function}
