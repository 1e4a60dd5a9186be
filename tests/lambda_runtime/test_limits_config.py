"""What limits refuse that nobody can have meant, and that they survive their travel as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_runtime.config import limits
from lambda_runtime.config.limits import BUDGETS, ConsumerLimits

NAMES = st.text(st.characters(exclude_characters="*", codec="utf-8"), min_size=1, max_size=8)
LIMITS = st.builds(
    ConsumerLimits,
    tokens_per_day=st.none() | st.integers(1, limits.MOST_TOKENS),
    tokens_per_month=st.none() | st.integers(1, limits.MOST_TOKENS),
    usd_per_day=st.none() | st.floats(0, limits.MOST_USD, exclude_min=True),
    usd_per_month=st.none() | st.integers(1, 1_000_000),
    shadow=st.booleans(),
    models=st.none() | st.lists(NAMES | NAMES.map(lambda name: name + "*"), min_size=1, max_size=4),
)


@settings(max_examples=50)
@given(LIMITS)
def test_text_and_back(made: ConsumerLimits) -> None:
    text = made.to_json()
    assert ConsumerLimits.from_json(text) == made
    assert ConsumerLimits.from_json(text).to_json() == text
    assert made.unlimited == (not made.budgets and made.models is None)
    assert made.money == any(name.startswith("usd") for name in made.budgets)
    assert list(made.budgets) == [name for name in BUDGETS if name in made.budgets]


def test_what_is_not_limited_is_left_out() -> None:
    assert ConsumerLimits().to_json() == "{}"
    assert ConsumerLimits(models=("a", "b*"), tokens_per_day=5).to_json() == '{"models": ["a", "b*"], "tokens_per_day": 5}'


def test_equal_limits_have_one_text() -> None:
    texts = {ConsumerLimits(usd_per_day=usd, usd_per_month=2.5).to_json() for usd in (5, 5.0)}
    assert texts == {'{"usd_per_day": 5, "usd_per_month": 2.5}'}


def test_too_many_tokens_are_told_what_is_the_most() -> None:
    for tokens, shown in ((limits.MOST_TOKENS + 1, "1000000000000001"), (10**5000, "a number of 16,610 bits")):
        with pytest.raises(ValueError, match=f"of at least 1, and 1,000,000,000,000,000 at most, .* got {shown}; leave it out"):
            ConsumerLimits(tokens_per_day=tokens)
    with pytest.raises(ValueError, match=r"1,000,000 at most, .* got a number of 16,610 bits"):
        ConsumerLimits(usd_per_day=10**5000)


def test_names_that_match_nothing() -> None:
    made = ConsumerLimits(models=["gpt-4", "gpt-*", "cluade-*", "o3", "*"])
    assert made.unmatched(["gpt-4", "claude-1"]) == ["cluade-*", "o3"]
    assert made.unmatched([]) == list(made.models or ())
    assert ConsumerLimits().unmatched(["gpt-4"]) == []


@settings(max_examples=50)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_a_value_error(text: str) -> None:
    try:
        ConsumerLimits.from_json(text)
    except ValueError:
        return
    assert isinstance(json.loads(text), dict)


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from([*BUDGETS, "shadow", "models", "later"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=2)
        ),
    )
)
def test_any_object_is_limits_or_a_value_error(document: dict[str, Any]) -> None:
    try:
        made = ConsumerLimits.from_json(json.dumps(document))
    except ValueError:
        return
    assert all(figure > 0 for figure in made.budgets.values())


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "5", limits.MOST_TOKENS + 1, float("nan")])
@pytest.mark.parametrize("name", ["tokens_per_day", "tokens_per_month"])
def test_tokens_are_whole_and_some(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a whole number of tokens of at least 1"):
        ConsumerLimits(**{name: value})


@pytest.mark.parametrize("value", [0, -0.5, True, "5", 1_000_001, float("nan"), float("inf"), 10**400])
@pytest.mark.parametrize("name", ["usd_per_day", "usd_per_month"])
def test_money_is_some(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be USD, more than 0 and 1,000,000 at most"):
        ConsumerLimits(**{name: value})


@pytest.mark.parametrize("models", ["gpt-4", [], [""], ["a*b"], ["**"], [5], 5, {"gpt-4"}, {"gpt-4": 1}, [None]])
def test_models_are_names(models: Any) -> None:
    with pytest.raises(ValueError, match="models must"):
        ConsumerLimits(models=models)


def test_shadow_is_a_truth_value() -> None:
    with pytest.raises(ValueError, match="shadow must be True or False, got 'no'"):
        ConsumerLimits(shadow="no")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("models", "allowed", "refused"),
    [
        (None, ["a", "", "*"], []),
        (["*"], ["a", "*"], []),
        (["gpt-4"], ["gpt-4"], ["gpt-4.1", "GPT-4", "gpt", " gpt-4", "gpt-4*"]),
        (["gpt-*", "m"], ["gpt-", "gpt-4", "m"], ["gpt", "mm", "xgpt-"]),
    ],
)
def test_names_and_beginnings_of_names_are_allowed(models: list[str] | None, allowed: list[str], refused: list[str]) -> None:
    made = ConsumerLimits(models=models)
    assert all(map(made.allows, allowed))
    assert not any(map(made.allows, refused))
