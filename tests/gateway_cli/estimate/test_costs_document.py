"""docs/costs.md shows what its commands print, and says no figure that none of them prints."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.gateway_cli.estimate.costs_document import LEFT_OUT, PATH, PICTURE, commands, printed

TEXT = PATH.read_text("utf-8")
FIGURE = re.compile(r"(?<![\w.-])[$¥]?\d[\d,]*(?:\.\d+)?(?![\w-])")


@pytest.mark.parametrize("command", list(commands(TEXT)))
def test_a_command_prints_what_the_document_says(command: str, tmp_path: Path) -> None:
    picture = tmp_path / PICTURE.name
    first = next(iter(commands(TEXT)))
    assert printed(command, picture, assumed=command == first) == commands(TEXT)[command], (
        "docs/costs.md is out of date: make costs"
    )
    if "--picture" in command:
        assert picture.read_bytes() == PICTURE.read_bytes(), "docs/costs.svg is out of date: make costs"


def test_what_is_assumed_is_there_once() -> None:
    assert TEXT.count("\nAssumed  ") - TEXT.count(f"\n{LEFT_OUT}") == 1
    assert TEXT.count("(--authorizer-seconds)") == 1
    assert TEXT.count(LEFT_OUT) > 2


def test_every_figure_of_the_text_is_one_that_is_printed() -> None:
    shown = {figure for output in commands(TEXT).values() for figure in FIGURE.findall(output)}
    shown |= {figure.lstrip("$¥") for figure in shown}
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|^\d\. ", " ", TEXT, flags=re.DOTALL | re.MULTILINE)
    said = FIGURE.findall(text)
    assert len(said) > 40
    assert [figure for figure in said if figure not in shown] == []


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    picture = PICTURE.read_text("utf-8")
    assert "<script" not in picture
    assert "@import" not in picture
    links = [value for node in ET.fromstring(picture).iter() for name, value in node.attrib.items() if name.endswith("href")]  # noqa: S314
    assert all(link.startswith("#") for link in links)


def test_the_readme_shows_a_part_of_it() -> None:
    readme = (PATH.parents[1] / "README.md").read_text("utf-8")
    shown = commands(readme)["estimate --requests-per-day 10000"].splitlines()
    whole = commands(TEXT)["estimate --requests-per-day 10000"].splitlines()
    assert len(shown) > 4
    assert [line for line in shown if line != "..." and line not in whole] == []
