"""How much a model is to think: OpenAI's `reasoning_effort` and Anthropic's `thinking` and `output_config.effort`."""

from __future__ import annotations

from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.claude_models import ClaudeModel
from lambda_runtime.translation.openai_models import ChatModel
from lambda_runtime.translation.request import Dropped

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""All values, rising. `none` and `minimal` are OpenAI's alone."""

BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 24_576}
"""Thinking budgets, in tokens, for Claude models that take no effort."""

LEAST_BUDGET = 1024


def nearest(effort: str, allowed: tuple[str, ...]) -> str | None:
    """Of the efforts that a model takes the next lower one, or else its lowest. None: it takes none."""
    if not allowed:
        return None
    lower = [value for value in allowed if EFFORTS.index(value) <= EFFORTS.index(effort)]
    return lower[-1] if lower else allowed[0]


def thinking_for_claude(
    effort: Any, claude: ClaudeModel | None, max_tokens: int, dropped: Dropped, *, forced: bool, in_tool_loop: bool
) -> tuple[dict[str, Any], str | None]:
    """What `reasoning_effort` is to an Anthropic endpoint.

    Args:
        effort: the client's value; None for none.
        claude: the model; None for another maker's.
        max_tokens: the limit of the answer, thinking included.
        dropped: collects what is left out.
        forced: whether a tool must be called, which excludes thinking where it has to be turned on.
        in_tool_loop: whether the model goes on with results of tools; older models want their own thinking back then, which
            chat completions do not carry.

    Returns:
        The field `thinking`, if there is to be one, and the value of `output_config.effort`, if there is to be one.

    Raises:
        RequestError: if the effort is none that OpenAI knows.
    """
    if effort is None:
        return {}, None
    if effort not in EFFORTS:
        raise RequestError(f"reasoning_effort must be one of {', '.join(EFFORTS)}", param="reasoning_effort")
    if effort == "none":
        return _off(claude, dropped)
    if claude is None:
        return {}, "low" if effort == "minimal" else effort
    return _on(effort, claude, max_tokens, dropped, may_think=not forced, may_have_budget=not in_tool_loop)


def _on(
    effort: str, claude: ClaudeModel, max_tokens: int, dropped: Dropped, *, may_think: bool, may_have_budget: bool
) -> tuple[dict[str, Any], str | None]:
    level = nearest(effort, claude.efforts)
    if level not in (effort, None) and effort != "minimal":
        dropped.add("reasoning_effort")
    if claude.thinks_by_itself:
        return {}, level
    if claude.thinks_adaptively and may_think:
        return {"thinking": {"type": "adaptive"}}, level
    if claude.thinks_by_budget and may_think and may_have_budget:
        # Half of a small limit is left for the answer itself.
        budget = min(BUDGETS[effort], max(LEAST_BUDGET, max_tokens // 2))
        if budget < max_tokens:
            return {"thinking": {"type": "enabled", "budget_tokens": budget}}, level
    dropped.add("reasoning_effort")
    return {}, level


def _off(claude: ClaudeModel | None, dropped: Dropped) -> tuple[dict[str, Any], str | None]:
    if claude is None:
        return {"thinking": {"type": "disabled"}}, None
    if not claude.thinks_by_itself:
        return {}, None
    kind = claude.without_thinking
    if kind is not None:
        return {"thinking": {"type": kind}}, None
    dropped.add("reasoning_effort")
    return {}, "low"


def effort_for_chat(body: dict[str, Any], chat: ChatModel, dropped: Dropped, *, tools: bool) -> dict[str, Any]:
    """What `thinking` and `output_config.effort` are to a chat completions endpoint.

    Args:
        body: the client's request.
        chat: the model.
        dropped: collects what is left out.
        tools: whether tools are offered.

    Returns:
        The fields `reasoning_effort` and `thinking`, as far as there are to be any.
    """
    wanted, field = _wanted(body)
    if chat.calls_tools_without_reasoning_only and tools:
        if wanted not in (None, "none"):
            dropped.add(field)
        return {"reasoning_effort": "none"}
    if wanted is None:
        return {}
    if wanted == "none" and chat.switches_thinking:
        return {"thinking": {"type": "disabled"}}
    if wanted == "none" and not chat.series:
        dropped.add(field)
        return {}
    value = nearest(wanted, chat.efforts)
    if value != wanted and not (wanted == "none" and value is None):
        dropped.add(field)
    return {} if value is None else {"reasoning_effort": value}


def _wanted(body: dict[str, Any]) -> tuple[str | None, str]:
    """The effort that a messages request asks for, and the field that says it."""
    thinking, config = body.get("thinking"), body.get("output_config")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind in ("disabled", "between_tools"):
        return "none", "thinking"
    effort = config.get("effort") if isinstance(config, dict) else None
    if effort in EFFORTS:
        return effort, "output_config.effort"
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) and kind == "enabled" else None
    if not isinstance(budget, int):
        return None, "thinking"
    return next((name for name in ("low", "medium") if budget <= BUDGETS[name]), "high"), "thinking"
