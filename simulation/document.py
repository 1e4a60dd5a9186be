"""Fills docs/scale.md: what stands between two markers is the simulation's, everything else is written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

PATH = Path(__file__).parents[1] / "docs" / "scale.md"

_BLOCK = re.compile(r"<!-- simulation: (?P<name>[a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)


def names(text: str) -> list[str]:
    """The blocks of the document."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def block(text: str, name: str) -> str:
    """What stands in a block.

    Raises:
        LookupError: if there is no such block.
    """
    for match in _BLOCK.finditer(text):
        if match["name"] == name:
            return match[0].partition("-->\n")[2].removesuffix("<!-- end -->").strip()
    raise LookupError(f"docs/scale.md has no block {name!r}; write '<!-- simulation: {name} -->' and '<!-- end -->' into it")


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """The document with new blocks.

    Args:
        text: the document.
        blocks: what is to stand in each of its blocks.

    Raises:
        LookupError: if a block has no place in the document, or the document one that nobody fills.
    """
    if sorted(names(text)) != sorted(blocks):
        raise LookupError(f"the blocks of docs/scale.md are {sorted(names(text))}, those of the simulation {sorted(blocks)}")
    return _BLOCK.sub(lambda match: f"<!-- simulation: {match['name']} -->\n\n{blocks[match['name']]}\n\n<!-- end -->", text)
