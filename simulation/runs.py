"""Runs scenarios, on all cores: they have nothing to do with each other."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from simulation.run import Run
from simulation.scenario import Result, Scenario


def simulate(scenario: Scenario) -> Result:
    """Run one scenario."""
    return Run(scenario).run()


def simulate_all(scenarios: Iterable[Scenario]) -> list[Result]:
    """Run scenarios.

    Args:
        scenarios: the longest ones first, so that no core waits for the last.

    Returns:
        Their results, in the same order.
    """
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return list(processes.map(simulate, scenarios))
