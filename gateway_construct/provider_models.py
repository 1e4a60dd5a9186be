"""What providers call their models: how the names of their own begin, and examples for a provider of many vendors' models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OPENAI_PREFIXES = (
    "gpt-",
    "o1",
    "o3",
    "o4",
    "chatgpt-",
    "codex-",
    "computer-use-",
    "text-embedding-3-",
    "text-embedding-ada-",
    # Fine-tuned models carry the name of what they were made from.
    "ft:gpt-",
    "ft:o",
)
ANTHROPIC_PREFIXES = ("claude-",)
DEEPSEEK_PREFIXES = ("deepseek-",)
# Its OpenAI-compatible endpoint takes and lists either spelling.
GEMINI_PREFIXES = ("gemini-", "gemma-", "text-embedding-0", "models/gemini-", "models/gemma-", "models/text-embedding-")

HOLYSHEEP_EXAMPLE_MODELS: Mapping[str, str] = MappingProxyType(
    {
        "gpt-4": "gpt-4.1",
        "claude-3-sonnet": "claude-sonnet-4.5",
        "gemini-pro": "gemini-2.5-flash",
        "deepseek-chat": "deepseek-v3.2",
    },
)
"""What `Upstream.holysheep(example_models=True)` adds to the model map: the name asked for and HolySheep's own."""
