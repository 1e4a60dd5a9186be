"""Limits in words: how they are typed, and how they are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from gateway_cli.errors import MISTAKEN, CommandError
from lambda_runtime.config.limits import MOST_TOKENS, ConsumerLimits, is_money

NONE = "none"
"""Typed in place of a figure where there is to be no such limit any more."""

_DIGITS = r"(\d{1,3}(,\d{3})+|\d[\d_]*)"
"""A comma stands between thousands and nowhere else: in much of the world `2,50` is two and a half."""

_WHOLE = re.compile(_DIGITS, re.ASCII)
_MONEY = re.compile(rf"{_DIGITS}(\.\d+)?|\.\d+", re.ASCII)
_MOST_DIGITS = 40

TokensPerDayOption = Annotated[
    str | None,
    typer.Option(metavar="TOKENS", help="Tokens of a day in UTC, as in 2_000_000; 'none' for no limit.", show_default=False),
]
TokensPerMonthOption = Annotated[
    str | None, typer.Option(metavar="TOKENS", help="Tokens of a month; 'none' for no limit.", show_default=False)
]
UsdPerDayOption = Annotated[
    str | None, typer.Option(metavar="USD", help="USD of a day, an estimate; 'none' for no limit.", show_default=False)
]
UsdPerMonthOption = Annotated[
    str | None, typer.Option(metavar="USD", help="USD of a month, an estimate; 'none' for no limit.", show_default=False)
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A model that may be asked for, as in gpt-4 or 'claude-*'. May be repeated. 'none': any model.",
        show_default=False,
    ),
]
ShadowOption = Annotated[
    bool | None,
    typer.Option("--shadow/--enforce", help="Only tell when a budget is used up; or refuse, too.", show_default=False),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What was typed of limits. None: as it is.

    Args:
        tokens_per_day: a number, or `NONE`.
        tokens_per_month: a number, or `NONE`.
        usd_per_day: a number, or `NONE`.
        usd_per_month: a number, or `NONE`.
        models: names, or `NONE` alone.
        shadow: whether budgets are only told.
    """

    tokens_per_day: str | None = None
    tokens_per_month: str | None = None
    usd_per_day: str | None = None
    usd_per_month: str | None = None
    models: Sequence[str] | None = None
    shadow: bool | None = None

    @property
    def nothing(self) -> bool:
        """Whether nothing was typed."""
        return self == Change()

    def applied(self, limits: ConsumerLimits) -> ConsumerLimits:
        """Limits as they are to be.

        Args:
            limits: as they are.

        Raises:
            CommandError: if something is no limit.
        """
        if self.models and NONE in self.models and len(self.models) > 1:
            raise CommandError(
                f"--model {NONE} is for any model, and goes alone, got {', '.join(self.models)}", status=MISTAKEN
            )
        typed: dict[str, Any] = {
            "tokens_per_day": _number("--tokens-per-day", self.tokens_per_day, whole=True),
            "tokens_per_month": _number("--tokens-per-month", self.tokens_per_month, whole=True),
            "usd_per_day": _number("--usd-per-day", self.usd_per_day, whole=False),
            "usd_per_month": _number("--usd-per-month", self.usd_per_month, whole=False),
            "models": [NONE] if self.models and NONE in self.models else self.models,
        }
        given: dict[str, Any] = {
            name: None if value in (NONE, [NONE]) else value for name, value in typed.items() if value is not None
        }
        if self.shadow is not None:
            given["shadow"] = self.shadow
        try:
            changed = replace(limits, **given)
        except ValueError as error:
            raise CommandError(str(error), status=MISTAKEN) from None
        if self.shadow and not changed.budgets:
            raise CommandError("--shadow is about budgets, and there is none; give one, too", status=MISTAKEN)
        # Of no budget nothing is told.
        return replace(changed, shadow=changed.shadow and bool(changed.budgets))


def told(limits: ConsumerLimits) -> str:
    """Limits in a few words."""
    parts = [f"{amount(name, value)} a {name.rpartition('_')[2]}" for name, value in limits.budgets.items()]
    if limits.models is not None:
        parts.append(f"of models only {', '.join(limits.models)}")
    if limits.shadow and limits.budgets:
        parts.append("budgets only told (shadow)")
    return "; ".join(parts) or "no limits"


def amount(budget: str, figure: float) -> str:
    """A budget's figure with its unit.

    Args:
        budget: its name.
        figure: tokens or USD.
    """
    return usd(figure) if is_money(budget) else f"{int(figure):,} tokens"


def usd(figure: float) -> str:
    """An amount of money; small ones to the digits that say something."""
    return f"USD {figure:,.2f}" if figure >= 1 or not figure else f"USD {figure:.6f}".rstrip("0").rstrip(".")


def _number(option: str, text: str | None, *, whole: bool) -> float | str | None:
    if text is None or text == NONE:
        return text
    if not (_WHOLE if whole else _MONEY).fullmatch(text):
        example = "2_000_000 or 2,000,000" if whole else "50, 2.50 or 1,000"
        raise CommandError(f"{option} is a number as in {example}, or {NONE!r}, got {text!r}", status=MISTAKEN)
    if whole and len(text) > _MOST_DIGITS:
        raise CommandError(f"{option} is {MOST_TOKENS:,} at most, got a number of {len(text):,} characters", status=MISTAKEN)
    digits = text.replace("_", "").replace(",", "")
    return int(digits) if whole else float(digits)
