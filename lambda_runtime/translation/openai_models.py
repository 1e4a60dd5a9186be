"""What the models behind chat completions take, by their name: OpenAI's reasoning models refuse what others know.

From OpenAI's reasoning guide and its answers as reported in public issues. Models of other makers get what most of them take.
"""

from __future__ import annotations

from typing import NamedTuple

_SPEAKS_OF_REASONING = ("deepseek", "kimi", "glm", "minimax", "mimo", "qwen")
_SWITCHES_THINKING = ("deepseek", "kimi", "glm")


class ChatModel(NamedTuple):
    """A model behind chat completions.

    Args:
        name: its name, lower case, without the vendor before it.
        series: `gpt` or `o` for OpenAI's; empty for others.
        version: major and minor number of OpenAI's.
    """

    name: str
    series: str = ""
    version: tuple[int, int] = (0, 0)

    @property
    def reasons(self) -> bool:
        """Whether it is one of OpenAI's that reason: those take no sampling parameters and no stop sequences."""
        return self.series == "o" or (self.series == "gpt" and self.version >= (5, 0) and "chat" not in self.name)

    @property
    def limit_field(self) -> str:
        """The field for the most tokens. OpenAI's models want the new one, many other servers know the old one only."""
        return "max_completion_tokens" if self.series else "max_tokens"

    @property
    def efforts(self) -> tuple[str, ...]:
        """Values of `reasoning_effort`, rising. Empty: it may not be set."""
        if not self.series:
            return ("low", "medium", "high")
        if not self.reasons:
            return ()
        if self.series == "o":
            return ("low", "medium", "high")
        if self.version < (5, 1):
            return ("minimal", "low", "medium", "high")
        common = ("none", "low", "medium", "high")
        if self.version < (5, 2):
            return common
        return (*common, "xhigh") if self.version < (5, 6) else (*common, "xhigh", "max")

    @property
    def calls_tools_without_reasoning_only(self) -> bool:
        """Whether chat completions with tools are refused unless `reasoning_effort` is `none`."""
        return self.series == "gpt" and self.version >= (5, 4) and self.reasons

    @property
    def wants_its_reasoning_back(self) -> bool:
        """Whether history may hold `reasoning_content`; DeepSeek's models insist on it where tools were called."""
        return not self.series and any(maker in self.name for maker in _SPEAKS_OF_REASONING)

    @property
    def switches_thinking(self) -> bool:
        """Whether it takes `thinking` with a type, as Anthropic's models do."""
        return not self.series and any(maker in self.name for maker in _SWITCHES_THINKING)


def chat_model(model: str) -> ChatModel:
    """What a model's name says of it."""
    name = model.lower().removeprefix("ft:").rpartition("/")[2]
    if name.startswith("chatgpt-"):
        return ChatModel(name, "gpt", (4, 0))
    if name.startswith("gpt-") and not name.startswith("gpt-oss"):
        return ChatModel(name, "gpt", _version(name[4:]))
    if name[:1] == "o" and name[1:2].isdecimal() and not name[2:3].isalnum():
        return ChatModel(name, "o", (int(name[1]), 0))
    return ChatModel(name)


def _version(text: str) -> tuple[int, int]:
    """The number that a text begins with. `35` is Azure's way to write 3.5."""
    whole = _digits(text)
    rest = text[len(whole) :]
    fraction = _digits(rest[1:]) if rest.startswith(".") else ""
    if len(whole) == 2 and not fraction and whole.startswith("3"):  # noqa: PLR2004
        whole, fraction = whole[0], whole[1]
    return int(whole or 0), int(fraction or 0)


def _digits(text: str) -> str:
    length = next((index for index, character in enumerate(text) if character not in "0123456789"), len(text))
    return text[: min(length, 4)]
