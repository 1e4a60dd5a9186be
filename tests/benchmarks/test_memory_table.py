from __future__ import annotations

import pytest

from benchmarks.calls import Kind
from benchmarks.latency import Latencies, Spread
from benchmarks.memory_table import Size, Starts, costs, million_requests, times


def latencies(milliseconds: float) -> dict[Kind, Latencies]:
    return {kind: Latencies(*[Spread(milliseconds, 2 * milliseconds, 3 * milliseconds)] * 2) for kind in Kind}


def test_a_million_streams_cost_what_lambda_charges_for_their_seconds() -> None:
    # 20 million seconds of 1/8 GB at 0.0000133334 USD, and 0.20 USD for the requests.
    assert million_requests(128, seconds=20, added=0, start=0, cold=0) == pytest.approx(33.5335)
    # A tenth of them starts for a second, all last half a second longer.
    more = million_requests(1024, seconds=20, added=500, start=1000, cold=0.1)
    assert more == pytest.approx(0.2 + 20.6 * 13.3334)


def test_tables_tell_what_is_added_and_what_it_costs() -> None:
    size = Size(256, Starts(600, 90, 5), latencies(3), 290)
    row = times(latencies(1), [size]).splitlines()[-1]
    assert row == "| 256 | 0.14 | 600 | 90 | 5 | +2.00 | +4.00 | +2.0 | +2.0 | +2.00 | +2.0 | +2.0 | 290 |"
    row = costs(latencies(1), [size], cold=0.5).splitlines()[-1]
    # The means differ by 6 ms, and half of the requests wait 600 ms for a start: 306 ms of 1/4 GB.
    assert row == "| 256 | 4.55 | 67.89 | 1.02 / 1.02 |"
