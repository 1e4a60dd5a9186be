"""A snapshot of each documented configuration's template, so that a review shows what a change does to a deployed gateway."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from gateway_construct.testing import normalise_template
from tests.templates import NAMES, template_of

pytestmark = pytest.mark.template

DIRECTORY = Path(__file__).parent / "templates"
UPDATE = "python -m pytest tests/snapshot --snapshot-update"
SHOWN_LINES = 80


@pytest.mark.parametrize("name", NAMES)
def test_template_is_the_one_in_the_snapshot(name: str, request: pytest.FixtureRequest) -> None:
    snapshot = DIRECTORY / f"{name}.json"
    current = json.dumps(normalise_template(template_of(name)), indent=1, sort_keys=True) + "\n"
    if request.config.getoption("--snapshot-update"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(current, "utf-8")
    if not snapshot.exists():
        pytest.fail(f"there is no snapshot {snapshot.name}; write it: {UPDATE}", pytrace=False)
    difference = compare(snapshot.read_text("utf-8"), current, name)
    if difference:
        pytest.fail(f"the template differs from its snapshot; if it is meant to, run: {UPDATE}\n{difference}", pytrace=False)


def test_every_snapshot_belongs_to_a_configuration(request: pytest.FixtureRequest) -> None:
    stale = {path.stem for path in DIRECTORY.glob("*.json")} - set(NAMES)
    if request.config.getoption("--snapshot-update"):
        for name in stale:
            (DIRECTORY / f"{name}.json").unlink()
    elif stale:
        pytest.fail(f"no configuration is called {', '.join(sorted(stale))}; remove the snapshots: {UPDATE}", pytrace=False)


def compare(expected: str, current: str, name: str) -> str:
    """The difference to show: with a few lines around it, and not all of it when it is long."""
    lines = list(
        difflib.unified_diff(
            expected.splitlines(), current.splitlines(), f"snapshot {name}", f"template {name}", n=4, lineterm=""
        ),
    )
    hidden = len(lines) - SHOWN_LINES
    return "\n".join([*lines[:SHOWN_LINES], *([f"... and {hidden} more lines"] if hidden > 0 else [])])


def test_difference_is_readable_and_short() -> None:
    expected = "\n".join(f'"line {number}": 1' for number in range(500))
    assert compare(expected, expected, "x") == ""
    one = compare(expected, expected.replace('"line 7": 1', '"line 7": 2'), "smallest")
    assert one.startswith("--- snapshot smallest")
    assert '-"line 7": 1' in one
    assert '+"line 7": 2' in one
    all_of_it = compare(expected, expected.replace(": 1", ": 2"), "smallest")
    assert all_of_it.endswith("more lines")
    assert len(all_of_it.splitlines()) == SHOWN_LINES + 1
