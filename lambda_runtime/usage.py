"""What an answer used, in tokens, out of the upstream's own figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        others: the parts of these that other models used than the one that was asked, an advisor's for example, by their names.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    others: tuple[tuple[str, Usage], ...] = ()

    @property
    def believable(self) -> bool:
        """Whether all figures can be true."""
        return all(map(believable, self[:5]))

    @classmethod
    def of(cls, figures: Sequence[int]) -> Usage:
        """Usage out of the four figures that are paid for, in their order."""
        read, written, cached, stored = figures
        return cls(read, written, cached_tokens=cached, cache_write_tokens=stored)

    def cost(self, price: Price | None, price_of: Callable[[str], Price | None] | None = None) -> int | None:
        """What the answer cost, in billionths of a USD: an estimate. None if nobody knows.

        Args:
            price: the model's. None: nobody has said it.
            price_of: another model's, by its name. Default: as the model's, as it is where nobody has said it.
        """
        if price is None or not self.believable:
            return None
        own, cost = self, 0
        for model, used in self.others:
            own = Usage.of([max(0, figure - part) for figure, part in zip(own[:4], used[:4], strict=True)])
            cost += _cost(used, (price_of and price_of(model)) or price)
        return cost + _cost(own, price)


def _cost(usage: Usage, price: Price) -> int:
    return price.cost(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )


def believable(figure: object) -> bool:
    """Whether a figure of an answer can be one."""
    return isinstance(figure, int) and 0 <= figure <= MOST


def of_openai(figures: Any) -> Usage | None:
    """The `usage` of a chat completion, a response or an embedding. None if it holds no figures."""
    if not isinstance(figures, dict):
        return None
    read = count_of(figures, "prompt_tokens", "input_tokens")
    written = count_of(figures, "completion_tokens", "output_tokens")
    if read is None and written is None:
        return None
    inputs = figures.get("prompt_tokens_details") or figures.get("input_tokens_details")
    outputs = figures.get("completion_tokens_details") or figures.get("output_tokens_details")
    return Usage(
        read or 0,
        written or 0,
        cached_tokens=cached_of(figures, inputs),
        cache_write_tokens=count_of(inputs, "cache_write_tokens") or 0,
        reasoning_tokens=count_of(outputs, "reasoning_tokens") or 0,
    )


def cached_of(figures: Any, details: Any) -> int:
    """What OpenAI's format says was read from a prompt cache: in the details of the input, or in DeepSeek's own word."""
    return count_of(details, "cached_tokens") or count_of(figures, "prompt_cache_hit_tokens") or 0


def of_openai_stream(figures: Any, contents: int, input_bytes: int) -> Usage:
    """The usage of a stream in one of OpenAI's formats, or an estimate if it broke before it said the figures.

    Args:
        figures: the stream's `usage`, or None.
        contents: events with content; each brings about a token.
        input_bytes: length of the request.
    """
    return of_openai(figures) or Usage(input_bytes // CHARACTERS_PER_TOKEN, contents, estimated=True)


def of_anthropic(figures: Any) -> Usage | None:
    """The `usage` of a message, whose `input_tokens` do not include what a cache held. None if it holds no figures.

    Where the answer took several runs of models, `iterations` has each. What it says of compaction and of an advisor is not in
    the figures above it, what it says of others is, in part at least. So all runs together count where they are more.
    """
    if not isinstance(figures, dict):
        return None
    usage = _of_message(figures)
    runs = figures.get("iterations")
    if usage is None or not runs or not isinstance(runs, list):
        return usage
    read = [(run.get("model"), used) for run in runs if isinstance(run, dict) and (used := _of_message(run)) is not None]
    figures_of_runs = zip(*(used[:4] for _, used in [("", Usage()), *read]), strict=True)
    most = [max(said, sum(each)) for said, each in zip(usage[:4], figures_of_runs, strict=True)]
    return Usage.of(most)._replace(others=tuple((model, used) for model, used in read if isinstance(model, str)))


def _of_message(figures: dict[str, Any]) -> Usage | None:
    fresh, written = count_of(figures, "input_tokens"), count_of(figures, "output_tokens")
    if fresh is None and written is None:
        return None
    cached = count_of(figures, "cache_read_input_tokens") or 0
    stored = count_of(figures, "cache_creation_input_tokens") or 0
    return Usage((fresh or 0) + cached + stored, written or 0, cached_tokens=cached, cache_write_tokens=stored)


def count_of(figures: Any, *names: str) -> int | None:
    """The first figure of one of the names that is one. Some upstreams write whole numbers as `1000.0`."""
    if isinstance(figures, Mapping):
        for name in names:
            value = figures.get(name)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS:
                return value
    return None
