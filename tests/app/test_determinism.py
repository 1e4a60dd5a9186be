"""The same sources give the same bytes, whatever the order of Python's hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.templates import synthesize

pytestmark = pytest.mark.template


def test_another_order_of_hashes_gives_the_same_bytes(tmp_path: Path) -> None:
    for order in ("1", "2718"):
        synthesize(["app.py"], tmp_path / order, PYTHONHASHSEED=order)
    first, second = (tree(tmp_path / order) for order in ("1", "2718"))
    assert {"AiGateway.template.json", "AiGateway.assets.json", "manifest.json"} <= set(first)
    assert any(name.endswith("/gateway.json") for name in first)
    assert first == second


def tree(directory: Path) -> dict[str, bytes]:
    """All files of an assembly by name, those of the assets included."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}
