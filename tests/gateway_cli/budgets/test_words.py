from __future__ import annotations

from typing import Any

import pytest

from gateway_cli.budgets.words import Change, told
from gateway_cli.errors import MISTAKEN, CommandError
from lambda_runtime.config.limits import ConsumerLimits

BOTH = ConsumerLimits(tokens_per_day=1000, usd_per_month=5)


@pytest.mark.parametrize(
    ("typed", "limits"),
    [
        ({}, BOTH),
        ({"tokens_per_day": "2_000_000"}, ConsumerLimits(tokens_per_day=2_000_000, usd_per_month=5)),
        ({"tokens_per_month": "2,000"}, ConsumerLimits(tokens_per_day=1000, tokens_per_month=2000, usd_per_month=5)),
        ({"usd_per_month": "12,000.5"}, ConsumerLimits(tokens_per_day=1000, usd_per_month=12_000.5)),
        ({"usd_per_month": ".5"}, ConsumerLimits(tokens_per_day=1000, usd_per_month=0.5)),
        ({"tokens_per_day": "none", "usd_per_month": "none"}, ConsumerLimits()),
        ({"models": ["gpt-4", "o*"]}, ConsumerLimits(tokens_per_day=1000, usd_per_month=5, models=["gpt-4", "o*"])),
        ({"shadow": True}, ConsumerLimits(tokens_per_day=1000, usd_per_month=5, shadow=True)),
    ],
)
def test_what_is_not_typed_stays(typed: dict[str, Any], limits: ConsumerLimits) -> None:
    assert Change(**typed).applied(BOTH) == limits


def test_what_holds_no_more() -> None:
    limits = ConsumerLimits(usd_per_day=1, models=["gpt-4"], shadow=True)
    assert Change(models=["none"]).applied(limits) == ConsumerLimits(usd_per_day=1, shadow=True)
    assert Change(shadow=False).applied(limits) == ConsumerLimits(usd_per_day=1, models=["gpt-4"])
    # Without a budget there is nothing to be told.
    assert Change(usd_per_day="none").applied(limits) == ConsumerLimits(models=["gpt-4"])


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"tokens_per_day": "2.5"}, r"--tokens-per-day is a number as in 2_000_000 or 2,000,000, or 'none', got '2\.5'"),
        ({"tokens_per_month": "-1"}, "--tokens-per-month is a number"),
        ({"tokens_per_day": "0"}, "tokens_per_day must be a whole number of tokens of at least 1"),
        ({"usd_per_day": "ten"}, "--usd-per-day is a number as in 50, 2.50 or 1,000, or 'none', got 'ten'"),
        ({"usd_per_day": "nan"}, "--usd-per-day is a number"),
        ({"usd_per_day": "2,50"}, "--usd-per-day is a number as in 50, 2.50 or 1,000, or 'none', got '2,50'"),
        ({"usd_per_day": "1,0000"}, "--usd-per-day is a number"),
        ({"usd_per_day": "1000,000"}, "--usd-per-day is a number"),
        ({"tokens_per_day": "2,"}, "--tokens-per-day is a number"),
        ({"tokens_per_day": "9" * 5000}, "--tokens-per-day is 1,000,000,000,000,000 at most, got a number of 5,000 characters"),
        (
            {"tokens_per_day": "1" + "0" * 15 + "1"},
            "of at least 1, and 1,000,000,000,000,000 at most, .* got 10000000000000001",
        ),
        ({"models": ["none", "gpt-4"]}, "--model none is for any model, and goes alone, got none, gpt-4"),
        ({"usd_per_month": "0"}, "usd_per_month must be USD, more than 0"),
        ({"usd_per_month": "2000000"}, "usd_per_month must be USD, more than 0 and 1,000,000 at most"),
        ({"models": ["g*t"]}, r"models must be names, of which only the end may be '\*'"),
        ({"models": [""]}, "models must be names"),
        ({"tokens_per_day": "none", "usd_per_month": "none", "shadow": True}, "--shadow is about budgets, and there is none"),
    ],
)
def test_what_makes_no_sense(typed: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        Change(**typed).applied(BOTH)
    assert caught.value.status == MISTAKEN


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ConsumerLimits(), "no limits"),
        (BOTH, "1,000 tokens a day; USD 5.00 a month"),
        (ConsumerLimits(usd_per_day=0.25, shadow=True), "USD 0.25 a day; budgets only told (shadow)"),
        (ConsumerLimits(models=["gpt-4", "o*"]), "of models only gpt-4, o*"),
    ],
)
def test_limits_in_words(limits: ConsumerLimits, words: str) -> None:
    assert told(limits) == words
