"""Why an answer ended, in the words of the two formats."""

from __future__ import annotations

from typing import Any

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",  # a turn that is to be continued: not whole
    "refusal": "content_filter",
}
"""Anthropic's stop reasons, each with OpenAI's finish reason."""

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
"""OpenAI's finish reasons, each with Anthropic's stop reason."""


def finish_reason(stop_reason: Any) -> str:
    """OpenAI's word for one of Anthropic's. One that is not known is `stop`."""
    return FINISH_REASONS.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def stop_reason(finish: Any, *, tools: bool, refused: bool) -> str:
    """Anthropic's word for one of OpenAI's.

    Args:
        finish: the finish reason. One that is not known is `end_turn`.
        tools: whether the answer calls tools: a named `tool_choice` ends with `stop` at OpenAI, and so do many relays' calls.
        refused: whether the model declined in the field that is for it.
    """
    reason = STOP_REASONS.get(finish, "end_turn") if isinstance(finish, str) else "end_turn"
    if reason != "end_turn":
        return reason
    if tools:
        return "tool_use"
    return "refusal" if refused else reason
