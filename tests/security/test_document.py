"""docs/security.md promises tests: each of them exists and is collected, and nothing here is left out of it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.lambda_runtime.function_process import ROOT

DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")
TESTS = re.findall(r"`(tests/[a-z0-9_/]+\.py)(?:::([a-z0-9_]+))?`", DOCUMENT)
NOT_PROVEN = "not proven here"


@cache
def collected(path: str) -> tuple[str, ...]:
    """The tests that pytest collects from a file: functions of the module, by their names; the last of a name counts."""
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return tuple(node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def rows() -> list[list[str]]:
    """The cells of each line of the tables of threats."""
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [
        line for line in cells if len(line) == 3 and line[0] not in {"threat", "function"} and not line[0].startswith("---")
    ]


@pytest.mark.parametrize(("path", "name"), sorted(set(TESTS)))
def test_each_test_exists_and_is_collected(path: str, name: str) -> None:
    assert Path(path).name.startswith("test_")
    assert (ROOT / path).is_file()
    assert collected(path).count(name) == 1 if name else collected(path)


def test_each_threat_has_a_test_or_says_that_it_has_none() -> None:
    found = rows()
    assert len(found) > 40
    assert [threat for threat, _, proof in found if "`tests/" not in proof and NOT_PROVEN not in proof] == []


def test_every_test_of_this_directory_stands_in_the_document() -> None:
    own = {path.relative_to(ROOT).as_posix() for path in Path(__file__).parent.glob("test_*.py")}
    named = {path for path, _ in TESTS}
    assert own - named == set()
    whole = {path for path, name in TESTS if not name}
    left_out = {f"{path}::{name}" for path in own - whole for name in collected(path) if (path, name) not in TESTS}
    assert left_out == set()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", DOCUMENT):
        assert (ROOT / "docs" / target).exists(), target


def test_how_to_report_is_at_the_root() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text("utf-8")
