"""The README says of speed what the last run did."""

from __future__ import annotations

import pytest

from benchmarks.document import with_block
from benchmarks.speed import README, RESULTS, table
from simulation.given_table import given
from simulation.inputs import GIVEN


def test_the_readme_has_the_figures_of_the_results() -> None:
    text = README.read_text("utf-8")
    assert text == with_block(text, "speed", table(RESULTS.read_text("utf-8"))), "run `python -m benchmarks.speed`"


def test_a_figure_that_is_not_in_the_results_is_named() -> None:
    with pytest.raises(LookupError, match="peak RSS"):
        table(RESULTS.read_text("utf-8").replace("peak RSS ", "peak "))


def test_the_start_that_is_simulated_is_one_that_was_measured() -> None:
    results = RESULTS.read_text("utf-8")
    assert "81 to 93 ms in quiet phases" in results
    assert 0.081 <= GIVEN.init <= 0.093
    (row,) = (line for line in given(GIVEN).splitlines() if line.startswith("| start of our process"))
    assert "81 to 93 ms in quiet phases" in row
