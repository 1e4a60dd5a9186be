"""What Claude models take, by the version in their name: newer ones refuse with a 400 what older ones need.

From Anthropic's model, thinking, effort and migration pages. A name without a version counts as the newest.
"""

from __future__ import annotations

from typing import NamedTuple

_NEWEST = (99, 0)
_FAMILIES = ("opus", "sonnet", "haiku", "fable", "mythos")
_ALWAYS_THINKING = ("fable", "mythos")

FOREIGN_MAX_TOKENS = 8192
"""`max_tokens` for models of other makers behind an Anthropic endpoint, when the client sets no limit."""


class ClaudeModel(NamedTuple):
    """A Claude model.

    Args:
        family: `opus`, `sonnet` and so on; empty if the name has none.
        version: major and minor number.
    """

    family: str
    version: tuple[int, int]

    @property
    def default_max_tokens(self) -> int:
        """`max_tokens` when the client sets no limit: as much as every model of the version can write, 32,000 at most."""
        if self.version >= (3, 7):
            return 32_000
        return 8192 if self.version >= (3, 5) else 4096

    @property
    def takes_sampling(self) -> bool:
        """Whether `temperature`, `top_p` and `top_k` may be set."""
        return self.version < (4, 7) and self.family not in _ALWAYS_THINKING

    @property
    def takes_one_of_temperature_and_top_p(self) -> bool:
        """Whether only one of the two may be set."""
        return self.version >= (4, 1)

    @property
    def takes_prefill(self) -> bool:
        """Whether the last message may be the assistant's, to be continued."""
        return self.version < (4, 6)

    @property
    def takes_forced_tools(self) -> bool:
        """Whether `tool_choice` may be `any` or name a tool."""
        return self.version < ((5, 1) if self.family in _ALWAYS_THINKING else (5, 5))

    @property
    def takes_strict_schemas(self) -> bool:
        """Whether tools may be `strict`."""
        return self.version >= (4, 5)

    @property
    def efforts(self) -> tuple[str, ...]:
        """Values of `output_config.effort`, rising. Empty: it may not be set."""
        if self.version >= (4, 7):
            return ("low", "medium", "high", "xhigh", "max")
        if self.version >= (4, 6):
            return ("low", "medium", "high", "max")
        return ("low", "medium", "high") if (self.family, self.version) == ("opus", (4, 5)) else ()

    @property
    def thinks_adaptively(self) -> bool:
        """Whether `thinking` is `adaptive` and no budget may be set."""
        return self.version >= (4, 6)

    @property
    def thinks_by_itself(self) -> bool:
        """Whether it thinks when `thinking` is not set."""
        return self.version >= (5, 0) or self.family in _ALWAYS_THINKING

    @property
    def thinks_by_budget(self) -> bool:
        """Whether `thinking` is `enabled` with a budget."""
        return (3, 7) <= self.version < (4, 6)

    @property
    def without_thinking(self) -> str | None:
        """The type of `thinking` that turns it off, or as far down as it goes; None if nothing does."""
        if self.family in _ALWAYS_THINKING or not self.family:
            return None
        if self.version >= (5, 5):
            return {"sonnet": "between_tools", "haiku": "disabled"}.get(self.family)
        return "disabled"


def claude_model(name: str) -> ClaudeModel | None:
    """What a name says of a Claude model, or None if it is none.

    Understands the names of Anthropic, Bedrock, Vertex AI and other relays: `claude-opus-4-5-20251101`,
    `us.anthropic.claude-3-7-sonnet-20250219-v1:0`, `claude-opus-4-1@20250805`, `anthropic/claude-sonnet-4.5`.
    """
    _, found, rest = name.lower().rpartition("claude")
    if not found:
        return None
    for mark in ".@:_/":
        rest = rest.replace(mark, "-")
    words = rest.split("-")
    family = next((family for family in _FAMILIES if family in words), "")
    for index, word in enumerate(words):
        if word.isdecimal() and len(word) <= 2:  # noqa: PLR2004  (longer ones are dates)
            following = words[index + 1] if index + 1 < len(words) else ""
            minor = int(following) if following.isdecimal() and len(following) <= 2 else 0  # noqa: PLR2004
            return ClaudeModel(family, (int(word), minor))
    return ClaudeModel(family, _NEWEST)
