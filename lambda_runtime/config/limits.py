"""What one consumer may use: budgets and a list of models. Usage plans, which count requests, are API Gateway's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any, Final

from lambda_runtime.config import gateway
from lambda_runtime.config.timeouts import is_number

LIMITS_VARIABLE: Final = gateway.LIMITS_VARIABLE

MOST_USD = 1_000_000.0
"""USD of one budget at most: what is counted in billionths stays an exact number."""

MOST_TOKENS = 10**15
"""Tokens of one budget at most."""

_MOST_SHOWN = 10**40
_TOKENS = ("tokens_per_day", "tokens_per_month")
_MONEY = ("usd_per_day", "usd_per_month")

BUDGETS = (*_TOKENS, *_MONEY)
"""The budgets' names, in the order in which they are told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerLimits:
    """What one consumer may use. `ConsumerLimits()` is no limit.

    Days and months are in UTC. Tokens are those of input and output together, what a prompt cache held and what was thought
    included. Money is an estimate by the gateway's prices.

    Args:
        tokens_per_day: tokens of a day. Default: no limit.
        tokens_per_month: tokens of a month. Default: no limit.
        usd_per_day: USD of a day. Default: no limit.
        usd_per_month: USD of a month. Default: no limit.
        shadow: whether a budget that is used up is only told, in the log and by a header, and nobody is refused. It does not
            concern `models`. Default: False.
        models: the models that may be asked for, by the names that clients use; one that ends in `*` stands for all that begin
            so. Default: all.

    Raises:
        ValueError: if a budget is no positive number, or a model's name is empty or has a `*` before its end.
    """

    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    usd_per_day: float | None = None
    usd_per_month: float | None = None
    shadow: bool = False
    models: Sequence[str] | None = None

    def __post_init__(self) -> None:
        for name in _TOKENS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TOKENS):
                raise ValueError(
                    f"{name} must be a whole number of tokens of at least 1, and {MOST_TOKENS:,} at most, for example "
                    f"2_000_000, got {_shown(value)}; leave it out for no limit"
                )
        for name in _MONEY:
            value = getattr(self, name)
            if value is not None and not (is_number(value) and 0 < value <= MOST_USD and value < inf):
                raise ValueError(
                    f"{name} must be USD, more than 0 and {MOST_USD:,.0f} at most, for example 50, got {_shown(value)}; leave "
                    "it out for no limit"
                )
        if not isinstance(self.shadow, bool):
            raise ValueError(f"shadow must be True or False, got {self.shadow!r}")  # noqa: TRY004
        if self.models is not None:
            object.__setattr__(self, "models", _models(self.models))

    @property
    def budgets(self) -> dict[str, float]:
        """The budgets that there are, by name: tokens or USD."""
        return {name: getattr(self, name) for name in BUDGETS if getattr(self, name) is not None}

    @property
    def money(self) -> bool:
        """Whether a budget is in USD, so that every answer needs a price."""
        return any(getattr(self, name) is not None for name in _MONEY)

    @property
    def unlimited(self) -> bool:
        """Whether nothing is limited."""
        return not self.budgets and self.models is None

    def allows(self, model: str) -> bool:
        """Whether a model may be asked for.

        Args:
            model: the name that the client uses.
        """
        if self.models is None:
            return True
        return any(_matches(name, model) for name in self.models)

    def unmatched(self, models: Iterable[str]) -> list[str]:
        """The names in `models` that none of these is, or begins with.

        Args:
            models: the names that there are.
        """
        there = list(models)
        return [name for name in self.models or () if not any(_matches(name, model) for model in there)]

    def to_json(self) -> str:
        """The canonical text: the same for equal limits. What is not limited is left out."""
        given = {field.name for field in fields(self) if getattr(self, field.name) != field.default}
        document = {name: value for name, value in asdict(self).items() if name in given}
        for name in _MONEY:
            if name in document and float(document[name]).is_integer():
                document[name] = int(document[name])  # 5.0 is 5
        return json.dumps(document, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> ConsumerLimits:
        """Read what `to_json` wrote. What a later version of the gateway has added is left aside.

        Raises:
            ValueError: if it is nothing of the kind.
        """
        try:
            document: Any = json.loads(text)
        except RecursionError:
            raise ValueError("limits are nested too deeply") from None
        if not isinstance(document, dict):
            raise ValueError(f"limits must be an object, got {text[:100]!r}")  # noqa: TRY004
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in known})


def is_money(budget: str) -> bool:
    """Whether a budget is in USD.

    Args:
        budget: its name.
    """
    return budget in _MONEY


def _matches(name: str, model: str) -> bool:
    return model.startswith(name[:-1]) if name.endswith("*") else model == name


def _shown(value: object) -> str:
    """A value for a message. Python refuses to write out a number of thousands of digits."""
    return f"a number of {value.bit_length():,} bits" if isinstance(value, int) and abs(value) > _MOST_SHOWN else repr(value)


def _models(models: Sequence[str]) -> tuple[str, ...]:
    if isinstance(models, str):
        # A string is a sequence of strings, too: each letter would be taken for a model.
        raise ValueError(f"models must be a list, got the string {models!r}; write [{models!r}]")  # noqa: TRY004
    if not isinstance(models, Sequence):
        raise ValueError(f"models must be a list of names, got {models!r}")  # noqa: TRY004
    if not models:
        raise ValueError("models must not be empty, or nothing could be asked for; leave it out for all models")
    for name in models:
        if not isinstance(name, str) or not name or "*" in name[:-1]:
            raise ValueError(f"models must be names, of which only the end may be '*', for example 'claude-*', got {name!r}")
    return tuple(models)
