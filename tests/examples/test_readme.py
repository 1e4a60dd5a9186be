"""The README's programs do what they say: those that end in `app.synth()` are synthesized as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.templates import ROOT, synthesize

pytestmark = pytest.mark.template

PROGRAMS = [
    block
    for block in re.findall(r"^```python\n(.+?)^```$", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    if "app.synth()" in block
]


def test_there_are_some() -> None:
    assert PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_program_synthesizes(program: str, tmp_path: Path) -> None:
    synthesize(["-c", program], tmp_path)
    assert list(tmp_path.glob("*.template.json"))
