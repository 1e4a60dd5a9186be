"""A soak of seconds: the same as `make soak`, without what only many requests show."""

from __future__ import annotations

from pathlib import Path

from tests.soak.checks import complaints
from tests.soak.report import unbalanced
from tests.soak.result import End
from tests.soak.run import Options, run


def test_a_short_soak(tmp_path: Path) -> None:
    options = Options(requests=250, state=7, workers=8, clients=4, spared=2, kills=80, pace=80, outage=0.3, long=20, busy=True)
    record = run(options, tmp_path, lambda _: None)
    assert [*complaints(record), *unbalanced(record)] == []
    # And that it was one.
    ends = {result.end for result in record.results}
    assert {End.WHOLE, End.ERROR, End.TOLD} <= ends
    assert record.workers.killed
    assert record.report["table"]["outages"]
    assert record.report["rotations"]
    assert record.report["kinds"]
