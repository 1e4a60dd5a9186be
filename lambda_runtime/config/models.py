"""The model map: which targets serve a name that clients ask for, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lambda_runtime.config.timeouts import is_number, require_seconds

_ALL = 100


class Delivery(StrEnum):
    """When a streamed answer begins to reach the client."""

    STREAMED = "streamed"
    """As it comes. An upstream that breaks after its first content breaks the client's stream."""

    WHOLE = "whole"
    """When it is complete, behind heartbeats. Failover rescues a stream that breaks in the middle; the price is that the first
    token comes with the last."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model of an upstream.

    Args:
        name: `upstream/model`. The model may contain slashes.
        weight: percentage of the route's requests that ask this target first, 0 to 100. The route's other targets follow in
            their order if it fails. Targets without a weight share what is left: the first of them gets it. An operator may set
            another weight while the gateway runs. Default: none.
        larger_context: whether it takes more input than the targets before it, so that a request which was too long for one of
            those goes on to this one. Default: False.

    Raises:
        ValueError: if the name lacks a part, the weight is no percentage, or `larger_context` is neither True nor False.
    """

    name: str
    weight: float | None = field(default=None, kw_only=True)
    larger_context: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not (self.upstream and self.model):
            raise ValueError(f"a target is written 'upstream/model', got {self.name!r}")
        if self.weight is not None and not (is_number(self.weight) and 0 <= self.weight <= _ALL):
            raise ValueError(f"target {self.name!r}: weight is a percentage from 0 to 100, for example 5, got {self.weight!r}")
        if not isinstance(self.larger_context, bool):
            # Any text would count as true, "no" too.
            raise ValueError(f"target {self.name!r}: larger_context must be True or False, got {self.larger_context!r}")  # noqa: TRY004

    @property
    def upstream(self) -> str:
        """The upstream's name."""
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        """The upstream's own name of the model."""
        return self.name.partition("/")[2]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """What serves a name that clients ask for.

    Args:
        targets: each a `Target` or `upstream/model`, in order of preference.
        delivery: when a streamed answer begins to reach the client, `"streamed"` or `"whole"`. Default: "streamed".
        first_content: seconds that its targets may take to the first content of a streamed answer. Default: the gateway's
            `Timeouts.first_content`, or `first_content_reasoning` for a model that reasons.

    Raises:
        ValueError: if there is no target, one is named twice, the weights cannot be percentages of one whole, or
            `first_content` is no time.
    """

    targets: Sequence[Target | str]
    delivery: Delivery | str = field(default=Delivery.STREAMED, kw_only=True)
    first_content: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.targets, str):
            # A string is a sequence of strings, too: each letter would be taken for a target.
            raise ValueError(f"targets must be a list, got the string {self.targets!r}; write [{self.targets!r}]")  # noqa: TRY004
        if not self.targets:
            raise ValueError("a model has no target; write at least one 'upstream/model'")
        if self.first_content is not None:
            require_seconds("first_content", self.first_content)
        ordered = tuple(target if isinstance(target, Target) else Target(target) for target in self.targets)
        names = [target.name for target in ordered]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the target {name!r} is given twice; a failed request goes on to a target of another name")
        weights = [target.weight for target in ordered if target.weight is not None]
        total = round(sum(weights), 6)  # fractions are not exact: 0.7 + 88.4 + 10.9 is a little more than 100
        if total > _ALL or (len(weights) == len(ordered) and total != _ALL):
            raise ValueError(
                f"the weights of {', '.join(names)} are percentages of the route's requests and add up to {total:g}; "
                "let them add up to 100, or leave one target without a weight to take the rest"
            )
        object.__setattr__(self, "targets", ordered)
        object.__setattr__(self, "delivery", _delivery(self.delivery))

    @property
    def ordered(self) -> tuple[Target, ...]:
        """The targets."""
        return self.targets  # type: ignore[return-value]  # made so above


def _delivery(value: str) -> Delivery:
    try:
        return Delivery(value)
    except ValueError:
        known = " or ".join(repr(str(delivery)) for delivery in Delivery)
        raise ValueError(f"delivery must be {known}, got {value!r}") from None
