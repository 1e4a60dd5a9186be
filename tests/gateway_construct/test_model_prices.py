"""Which prices travel with the function: the user's, and list prices of what the model map names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Aws

from gateway_construct import ModelRoute, Price, Upstream
from gateway_construct.model_prices import model_prices
from gateway_prices.models import list_price

OWN, OTHER = Price(input=1, output=2), Price(input=3, output=4)
UPSTREAMS = [Upstream.holysheep().config, Upstream.openai().config, Upstream.deepseek().config]
LISTED = list_price("https://api.openai.com/v1", "gpt-4.1")


def prices(stated: Mapping[str, Price] | None = None, *targets: str, serve_unmapped_models: bool = True) -> dict[str, Price]:
    return model_prices(
        stated,
        upstreams=UPSTREAMS,
        models={"model": ModelRoute(targets)} if targets else {},
        serve_unmapped_models=serve_unmapped_models,
    )


def test_only_what_is_mapped_is_looked_up() -> None:
    assert LISTED is not None
    assert prices() == {}
    assert prices(None, "holysheep/gpt-4.1", "openai/gpt-4.1", "openai/of-tomorrow") == {"openai/gpt-4.1": LISTED}


def test_each_address_of_an_upstream_is_looked_up() -> None:
    assert list(prices(None, "deepseek/deepseek-chat")) == ["deepseek/deepseek-chat"]


@pytest.mark.parametrize("name", ["openai/gpt-4.1", "openai/*"])
def test_what_the_user_says_goes_before_the_list(name: str) -> None:
    assert prices({name: OWN}, "openai/gpt-4.1") == {name: OWN}


def test_a_price_of_another_model_leaves_the_list_alone() -> None:
    assert prices({"openai/gpt-5": OWN, "holysheep/*": OTHER}, "openai/gpt-4.1", "holysheep/gpt-4.1") == {
        "openai/gpt-5": OWN,
        "holysheep/*": OTHER,
        "openai/gpt-4.1": LISTED,
    }


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"openai/gpt-4.1": 2}, r"prices: 'openai/gpt-4.1' must have a Price, got 2; write Price\(input=2, output=8\)"),
        ({("openai", "gpt-4.1"): OWN}, r"prices: a price is for 'upstream/model' or 'upstream/\*', got \('openai'"),
        ({f"openai/{Aws.REGION}": OWN}, "prices must be known at synth, got a token"),
    ],
)
def test_mistakes_are_explained(stated: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prices(stated, "openai/gpt-4.1")


def test_a_price_of_what_is_never_asked_is_a_mistake() -> None:
    stated = {"openai/gpt4.1": OWN}
    assert prices(stated, "openai/gpt-4.1")["openai/gpt4.1"] == OWN
    with pytest.raises(ValueError, match=r"prices: 'openai/gpt4.1' is a target of no model, .* targets: openai/gpt-4.1$"):
        prices(stated, "openai/gpt-4.1", serve_unmapped_models=False)
    assert prices({"openai/*": OWN}, "openai/gpt-4.1", serve_unmapped_models=False) == {"openai/*": OWN}
