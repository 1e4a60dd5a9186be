"""Releases two versions in the local gateway: `python -m tests.release_demo`."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.local_gateway import running
from tests.release_demo.load import asking
from tests.release_demo.plan import RAMP, RAMP_SECONDS, WEIGHT
from tests.release_demo.record import recording
from tests.release_demo.story import Release, Stage, percent
from tests.release_demo.versions import Project

RATE = 80
"""Requests a second, so that a canary of 5 % has 40 in a window of 10 seconds; its alarms judge windows of at least 20."""

BAKE = 600
SCALE = 0.1
"""Of Step Functions' waiting."""

_LABEL = 32
_CELL = 30


def main() -> int:
    """Run both stories.

    Returns:
        The exit status: 1 if anything was not as it must be.
    """
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {text}\n")
        sys.stdout.flush()

    ramp = ", then ".join(f"{percent(weight)} for {RAMP_SECONDS // 60} minutes" for weight in RAMP)
    sys.stdout.write(
        f"Canary releases in the local gateway: {percent(WEIGHT)} of the requests for {BAKE // 60} minutes, then {ramp}.\n"
        f"Step Functions' waiting is shortened to a tenth (SFN_WAIT_SCALE={SCALE}); the alarms' windows are not.\n"
        f"{RATE} requests a second, for two models. The whole takes less than three minutes.\n\n"
    )
    releases, statuses = _release(say)
    _table(releases)
    sys.stdout.write(f"\nWhat clients saw in all, by status: {statuses}\n")
    wrong = [words for release in releases for words in release.wrong]
    sys.stdout.write("".join(f"WRONG: {words}\n" for words in wrong) or "All as it must be.\n")
    return 1 if wrong else 0


def _release(say: Callable[[str], None]) -> tuple[list[Release], dict[int, int]]:
    """Both stories, and how many answers had each status."""
    releases: list[Release] = []
    environment = {"SFN_WAIT_SCALE": str(SCALE)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory) / "gateway"
        scratch.mkdir()
        project = Project(Path(directory))
        project.synthesize("stable", BAKE)
        with (
            running(project.assembly, "--watch", "--verbose", scratch=scratch, environment=environment) as gateway,
            recording(gateway) as record,
            asking(gateway, RATE) as load,
        ):
            say(f"version {record.shares.version} gets every request")
            stage = Stage(project=project, record=record, load=load, say=say, scale=SCALE)
            try:
                releases.append(stage.fails(BAKE))
                releases.append(stage.succeeds(BAKE, RAMP_SECONDS * len(RAMP)))
            except AssertionError as error:
                say(f"{error}")
                releases.append(Release(version=f"{len(releases) + 2}", wrong=[str(error)]))
            return releases, dict(sorted(load.statuses.items()))


def _table(releases: list[Release]) -> None:
    names = list(dict.fromkeys(name for release in releases for name in release.facts))
    rows = [["", *(f"version {release.version}" for release in releases)]]
    # What ends a release is said last.
    names.sort(key=lambda name: (name in {"failed requests", "end"}, name == "end"))
    rows += [[name, *(release.facts.get(name, "") for release in releases)] for name in names]
    lines = (f"{row[0]:<{_LABEL}}" + "".join(f"{cell:<{_CELL}}" for cell in row[1:]) for row in rows)
    sys.stdout.write("\n" + "".join(f"{line.rstrip()}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
