"""Simulates everything that docs/scale.md shows, and makes the document's blocks of it."""

from __future__ import annotations

from simulation import event_tables, limit_tables, usual_tables
from simulation.cases import CANARY_DAYS, HOT_RATES, IDLE, IDLE_SIZES, LARGEST, Case, Results, What, requests, scenarios
from simulation.cost_table import costs
from simulation.findings import findings
from simulation.given_table import given
from simulation.inputs import GIVEN
from simulation.runs import simulate_all
from simulation.scenarios import SIZES


def run() -> Results:
    """Simulate everything."""
    planned = scenarios()
    longest_first = sorted(planned, key=lambda case: -requests(planned[case]))
    results = dict(zip(longest_first, simulate_all(planned[case] for case in longest_first), strict=True))
    return {case: (scenario, results[case]) for case, scenario in planned.items()}


def blocks(results: Results) -> dict[str, str]:
    """The document's blocks.

    Args:
        results: as `run` gives them.
    """

    def of(*kinds: What) -> list[event_tables.Run]:
        return [(case, *results[case]) for case in results if case.what in kinds]

    days = {size: results[Case(What.USUAL, size)] for size in SIZES}
    idle = {time: {size: results[_idle(size, time)][1] for size in IDLE_SIZES} for time in sorted((*IDLE, GIVEN.keep_alive))}
    return {
        "given": given(GIVEN),
        "findings": findings(results),
        "instances": usual_tables.instances(days),
        "idle": usual_tables.keep_alive(idle),
        "traffic": usual_tables.traffic(days),
        "items": limit_tables.item_sizes(),
        "limits": limit_tables.limits(days[LARGEST][1]),
        "quotas": limit_tables.asked_for(days),
        "bursts": event_tables.bursts(of(What.BURST)),
        "deployments": event_tables.deployments(of(What.DEPLOYMENT)),
        "canaries": event_tables.canaries((Case(What.CANARY, size), *results[Case(What.CANARY, size)]) for size in CANARY_DAYS),
        "incidents": event_tables.incidents(of(What.INCIDENT, What.SHORT_TIMEOUTS, What.TOLD_AT_ONCE)),
        "hot": event_tables.hot((rate, results[Case(What.HOT, rate)][1]) for rate in HOT_RATES),
        "costs": costs(days),
    }


def _idle(size: int, time: float) -> Case:
    return Case(What.USUAL, size) if time == GIVEN.keep_alive else Case(What.IDLE, size, idle=time)
