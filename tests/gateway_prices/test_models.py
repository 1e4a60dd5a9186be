"""The list prices, and the list's own arithmetic as the judge of what is taken from it."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, Provider, StartDateConstraint, TimeOfDateConstraint

from gateway_construct import HOLYSHEEP_EXAMPLE_MODELS, Upstream
from gateway_prices import models
from gateway_prices.models import differs_by_time_of_day, list_price
from lambda_runtime.config.prices import NANO, Price

OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai"
AFTER_ALL_CHANGES = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)

KNOWN = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
PRESETS = ("anthropic", "deepseek", "google", "openai")


def listed() -> Iterator[tuple[Provider, ModelInfo]]:
    """Models of the presets' providers that are charged by tokens of text, at all times of the day alike."""
    for provider in providers:
        for model in provider.models if provider.id in PRESETS else ():
            conditions = model.prices if isinstance(model.prices, list) else []
            prices = model.get_prices(AFTER_ALL_CHANGES)
            by_time = any(isinstance(one.constraint, TimeOfDateConstraint) for one in conditions)
            tokens = {name for name, value in vars(prices).items() if value is not None and name.endswith("_mtok")}
            if not by_time and tokens & {"input_mtok", "output_mtok"} and tokens <= {*KNOWN, "cache_write_1h_mtok"}:
                yield provider, model


@pytest.mark.parametrize("length", [1_000, 199_999, 200_001, 272_001, 1_000_000])
def test_an_answer_costs_what_the_list_says(length: int) -> None:
    compared = 0
    for provider, model in listed():
        base_url = next(url for url in (OPENAI, ANTHROPIC, GEMINI, "https://api.deepseek.com/v1") if url_of(provider, url))
        price = list_price(base_url, model.id)
        if price is None or provider.find_model(model.id) is not model:
            continue  # the id is no name that the provider goes by
        cached, written = length // 2, length // 4
        usage = Usage(
            input_tokens=length,
            output_tokens=333,
            **({"cache_read_tokens": cached} if price.cached_input is not None else {}),
            **({"cache_write_tokens": written} if price.cache_write is not None else {}),
        )
        expected = model.calc_price(usage, provider, genai_request_timestamp=AFTER_ALL_CHANGES).total_price
        cost = price.cost(input_tokens=length, output_tokens=333, cached_tokens=cached, cache_write_tokens=written)
        assert Decimal(cost) / NANO == pytest.approx(expected, abs=Decimal(1) / NANO), model.id
        compared += 1
    assert compared > 100


def url_of(provider: Provider, url: str) -> bool:
    return re.match(provider.api_pattern, url) is not None


def test_caches_and_long_inputs_have_prices_of_their_own() -> None:
    assert list_price(OPENAI, "gpt-4.1") == Price(input=2, output=8, cached_input=0.5)
    assert list_price(ANTHROPIC, "claude-sonnet-4-5") == Price(
        input=3,
        output=15,
        cached_input=0.3,
        cache_write=3.75,
        above={200_000: Price(input=6, output=22.5, cached_input=0.6, cache_write=7.5)},
    )


def test_an_embedding_has_no_output() -> None:
    assert list_price(OPENAI, "text-embedding-3-small") == Price(input=0.02, output=0)


@pytest.mark.parametrize(
    ("base_url", "model", "same_as"),
    [
        ("https://api.openai.com/v1", "gpt-4.1-2025-04-14", "gpt-4.1"),
        (GEMINI, "models/gemini-2.5-pro", "gemini-2.5-pro"),
    ],
)
def test_other_names_of_a_model(base_url: str, model: str, same_as: str) -> None:
    price = list_price(base_url, model)
    assert price is not None
    assert price == list_price(base_url, same_as)


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        (OPENAI, "gpt-4.1-of-tomorrow"),
        (OPENAI, "whisper-1"),  # by the second
        ("https://llm.example.com/v1", "gpt-4.1"),
        ("https://example.com/api.openai.com", "gpt-4.1"),
        ("http://127.0.0.1:8000/v1", "gpt-4.1"),
        *((endpoint.base_url, "gpt-4.1") for endpoint in Upstream.holysheep().config.endpoints),
    ],
)
def test_what_is_not_in_the_list_has_no_price(base_url: str, model: str) -> None:
    assert list_price(base_url, model) is None


def test_what_is_not_looked_up_is_in_no_list() -> None:
    for url in ("http://127.0.0.1:8000/v1", *(endpoint.base_url for endpoint in Upstream.holysheep().config.endpoints)):
        assert not [provider.id for provider in providers if url_of(provider, url)]


def test_the_list_is_not_read_for_relays_and_servers_of_ones_own() -> None:
    program = f"""
import sys
from gateway_prices.models import list_price
for model in {tuple(HOLYSHEEP_EXAMPLE_MODELS.values())!r}:
    assert list_price("https://api.holysheep.ai/v1", model) is None
assert "genai_prices" not in sys.modules
assert list_price("https://api.openai.com/v1", "gpt-4.1")
assert "genai_prices" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_price_by_time_of_day_is_known_to_be_one() -> None:
    assert differs_by_time_of_day("https://api.deepseek.com/v1", "deepseek-v4-pro")
    assert not differs_by_time_of_day(OPENAI, "gpt-4.1")
    assert not differs_by_time_of_day(OPENAI, "gpt-4.1-of-tomorrow")
    # Its price has changed with the date, not with the hour.
    by_date = ConditionalPrice(StartDateConstraint(dt.date(2026, 1, 1)), prices=_at(3))
    assert models._by_time_of_day(_model(by_date)) is False


def _model(*prices: ConditionalPrice) -> ModelInfo:
    return ModelInfo(id="one", match=providers[0].models[0].match, prices=list(prices))


def _at(usd: int) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(usd), output_mtok=Decimal(usd))


def test_of_prices_by_date_the_latest_holds() -> None:
    dates = [dt.date(2025, 1, 1), dt.date(2998, 1, 1)]
    later = [ConditionalPrice(StartDateConstraint(date), prices=_at(usd)) for date, usd in zip(dates, (9, 4), strict=True)]
    assert models._price(_model(ConditionalPrice(prices=_at(7)), *later)) == Price(input=4, output=4)


def test_of_prices_by_time_of_day_the_dearest_holds() -> None:
    night = ConditionalPrice(TimeOfDateConstraint(dt.time(1), dt.time(4)), prices=_at(3))
    day = ConditionalPrice(TimeOfDateConstraint(dt.time(6), dt.time(10)), prices=_at(8))
    assert models._price(_model(ConditionalPrice(prices=_at(5)), night, day)) == Price(input=8, output=8)
    assert models._price(_model(ConditionalPrice(prices=_at(9)), night, day)) == Price(input=9, output=9)
