"""Releases in the running gateway, as `make release-demo` shows them, only shorter: alarms, rollback and promotion are real."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local_gateway import running
from tests.release_demo.load import asking
from tests.release_demo.record import Shares, recording
from tests.release_demo.story import Stage
from tests.release_demo.versions import Project

pytestmark = [pytest.mark.local, pytest.mark.template]

SCALE = 0.05
WEIGHT = 0.2
RATE = 20
"""Requests a second. With the weight above, a window of 10 seconds has 40 of the new version, and is judged from 20 on."""


def test_a_version_that_fails_is_taken_back_and_a_good_one_is_promoted(tmp_path: Path) -> None:
    scratch = tmp_path / "gateway"
    scratch.mkdir()
    project = Project(tmp_path, weight=WEIGHT)
    project.synthesize("stable", 3000)
    said: list[str] = []
    with (
        running(
            project.assembly, "--watch", "--verbose", scratch=scratch, environment={"SFN_WAIT_SCALE": str(SCALE)}
        ) as gateway,
        recording(gateway) as record,
        asking(gateway, RATE) as load,
    ):
        stage = Stage(project=project, record=record, load=load, say=said.append, scale=SCALE)
        assert record.shares == Shares("1")
        # It bakes for longer than the test takes: only the alarm can end it.
        failed = stage.fails(3000)
        assert failed.wrong == [], said
        promoted = stage.succeeds(120, 240)
        assert promoted.wrong == [], said
        assert record.shares == Shares(promoted.version)
        assert load.statuses.keys() <= {200, 500}
