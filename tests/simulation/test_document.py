"""docs/scale.md says what the simulation gives: the small sizes are run again, and everything that is only reckoned."""

from __future__ import annotations

import pytest

from gateway_prices.bill import lines
from gateway_prices.gateway_cost import quantities
from simulation import limit_tables, usual_tables
from simulation.cost_table import deployment_of, simulated_quantities, traffic_of
from simulation.document import PATH, block, filled, names
from simulation.given_table import given
from simulation.inputs import GIVEN
from simulation.run import Run
from simulation.scenarios import usual

TEXT = PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [10, 1_000])
def test_small_sizes_are_as_the_document_has_them(size: int) -> None:
    scenario = usual(size)
    result = Run(scenario).run()
    assert usual_tables.instances_row(size, result) in block(TEXT, "instances"), "run `make scale`"
    assert usual_tables.traffic_row(size, scenario, result) in block(TEXT, "traffic"), "run `make scale`"


def test_what_is_only_reckoned_is_as_the_document_has_it() -> None:
    assert block(TEXT, "given") == given(GIVEN), "run `make scale`"
    assert block(TEXT, "items") == limit_tables.item_sizes(), "run `make scale`"


def test_blocks_are_filled_and_nothing_else_is_changed() -> None:
    blocks = dict.fromkeys(names(TEXT), "| new |")
    text = filled(TEXT, blocks)
    assert text.count("| new |") == len(blocks) > 10
    assert filled(text, {name: block(TEXT, name) for name in blocks}) == TEXT
    with pytest.raises(LookupError, match="'left-out'"):
        filled(TEXT, {**blocks, "left-out": ""})


def test_the_bill_is_that_of_the_estimate() -> None:
    """Both go by `gateway_prices`; with the simulated starts as its inputs the estimate comes to the same quantities."""
    size = 10_000
    result = Run(usual(size, 1)).run()
    estimated = quantities(traffic_of(size, GIVEN), deployment_of(result, GIVEN))
    counted = simulated_quantities(size, result, GIVEN)
    estimate, bill = ({line.name: line.usd for line in lines(each)} for each in (estimated, counted))
    assert estimate.keys() == bill.keys()
    for name in (
        "api_gateway",
        "lambda_requests",
        "lambda_starts",
        "secrets",
        "secret_calls",
        "logs",
        "metrics",
        "data_transfer",
    ):
        assert bill[name] == pytest.approx(estimate[name]), name
    # Drawn there, a mean here.
    assert bill["lambda_duration"] == pytest.approx(estimate["lambda_duration"], rel=0.05)
    # Assumed there, by what the items are, and counted here.
    assert bill["table_writes"] == pytest.approx(estimate["table_writes"], rel=0.15)
    # There a limit from above: every request is of a consumer with a budget.
    assert 0.5 * estimate["table_reads"] < bill["table_reads"] < estimate["table_reads"]
