"""What an answer used, in the words of the two formats.

OpenAI counts what a prompt cache held as part of the input; Anthropic counts it beside it.
"""

from __future__ import annotations

from typing import Any

from lambda_runtime.usage import cached_of, count_of


def usage_to_chat(usage: Any) -> dict[str, Any]:
    """Anthropic's figures as a chat completion's `usage`."""
    read, stored = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    given, written = _count(usage, "input_tokens") + read + stored, _count(usage, "output_tokens")
    figures: dict[str, Any] = {
        "prompt_tokens": given,
        "completion_tokens": written,
        "total_tokens": given + written,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": stored},
    }
    details = usage.get("output_tokens_details") if isinstance(usage, dict) else None
    if isinstance(details, dict):
        figures["completion_tokens_details"] = {"reasoning_tokens": _count(details, "thinking_tokens")}
    return figures


def usage_to_messages(usage: Any) -> dict[str, Any]:
    """A chat completion's figures as a message's `usage`."""
    inputs = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    outputs = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    read = cached_of(usage, inputs)
    stored = _count(inputs, "cache_write_tokens")
    figures: dict[str, Any] = {
        "input_tokens": max(0, _count(usage, "prompt_tokens") - read - stored),
        "cache_creation_input_tokens": stored,
        "cache_read_input_tokens": read,
        "output_tokens": _count(usage, "completion_tokens"),
    }
    reasoning = _count(outputs, "reasoning_tokens")
    if reasoning:
        figures["output_tokens_details"] = {"thinking_tokens": reasoning}
    return figures


def _count(figures: Any, name: str) -> int:
    return count_of(figures, name) or 0
