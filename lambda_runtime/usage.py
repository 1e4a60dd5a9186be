"""What an answer used, in tokens, out of the upstream's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lambda_runtime.config.prices import Price

CHARACTERS_PER_TOKEN = 4
"""Rule of thumb for English, by which what an upstream did not count is estimated."""

MOST = 100_000_000
"""Tokens of one answer. No model takes or gives a tenth of it: a larger figure is a mistake, and would spoil its sums."""


MAX_TOKENS = 1_000_000_000_000
"""A larger figure is none: no answer has so many, and neither a metric nor the table could take any number that is one."""


class Usage(NamedTuple):
    """Tokens of one answer.

    Args:
        input_tokens: all of the input, what a prompt cache held included.
        output_tokens: all of the output, what was thought included.
        cached_tokens: the part of the input that was read from a prompt cache.
        cache_write_tokens: the part of the input that was written to one.
        reasoning_tokens: the part of the output that was thought.
        estimated: whether the output is an estimate, because the answer broke before the upstream had said the figure.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    @property
    def believable(self) -> bool:
        """Whether all figures can be true."""
        return all(map(believable, self[:5]))

    def cost(self, price: Price | None) -> int | None:
        """What the answer cost, in billionths of a USD: an estimate. None if nobody knows.

        Args:
            price: the model's. None: nobody has said it.
        """
        if price is None or not self.believable:
            return None
        return price.cost(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            cache_write_tokens=self.cache_write_tokens,
        )


def believable(figure: object) -> bool:
    """Whether a figure of an answer can be one."""
    return isinstance(figure, int) and 0 <= figure <= MOST


def of_openai(figures: Any) -> Usage | None:
    """The `usage` of a chat completion, a response or an embedding. None if it holds no figures."""
    if not isinstance(figures, dict):
        return None
    read = _count(figures, "prompt_tokens", "input_tokens")
    written = _count(figures, "completion_tokens", "output_tokens")
    if read is None and written is None:
        return None
    inputs = figures.get("prompt_tokens_details") or figures.get("input_tokens_details")
    outputs = figures.get("completion_tokens_details") or figures.get("output_tokens_details")
    return Usage(
        read or 0,
        written or 0,
        cached_tokens=_count(inputs, "cached_tokens") or 0,
        reasoning_tokens=_count(outputs, "reasoning_tokens") or 0,
    )


def of_openai_stream(figures: Any, contents: int, input_bytes: int) -> Usage:
    """The usage of a stream in one of OpenAI's formats, or an estimate if it broke before it said the figures.

    Args:
        figures: the stream's `usage`, or None.
        contents: events with content; each brings about a token.
        input_bytes: length of the request.
    """
    return of_openai(figures) or Usage(input_bytes // CHARACTERS_PER_TOKEN, contents, estimated=True)


def of_anthropic(figures: Any) -> Usage | None:
    """The `usage` of a message, whose `input_tokens` do not include what a cache held. None if it holds no figures."""
    if not isinstance(figures, dict):
        return None
    fresh, written = _count(figures, "input_tokens"), _count(figures, "output_tokens")
    if fresh is None and written is None:
        return None
    cached = _count(figures, "cache_read_input_tokens") or 0
    stored = _count(figures, "cache_creation_input_tokens") or 0
    return Usage((fresh or 0) + cached + stored, written or 0, cached_tokens=cached, cache_write_tokens=stored)


def _count(figures: Any, *names: str) -> int | None:
    """The first figure of one of the names that is one."""
    if isinstance(figures, Mapping):
        for name in names:
            value = figures.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS:
                return value
    return None
