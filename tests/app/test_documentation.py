from __future__ import annotations

import re

import pytest

from gateway_app.context import PARTS
from gateway_app.settings import SETTINGS
from gateway_app.upstreams import PRESETS
from tests.templates import ROOT

pytestmark = pytest.mark.template

BLOCK = {*PARTS, *SETTINGS}


def first_cells(heading: str) -> list[str]:
    """What is in backticks in the first column of the table with that heading."""
    text = (ROOT / "docs" / "app.md").read_text("utf-8")
    rows = text.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_every_setting_is_documented() -> None:
    assert sorted(first_cells("setting")) == sorted(BLOCK)


def test_every_preset_is_documented() -> None:
    assert sorted(first_cells("preset")) == sorted(PRESETS)
