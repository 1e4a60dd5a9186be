"""What has to be settled before any test is collected."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Snapshots are written on request only."""
    parser.addoption("--snapshot-update", action="store_true", help="write the snapshots of templates instead of comparing")


def pytest_configure() -> None:
    """Switch the CDK's validator of templates off: it takes two seconds a template. tests/app/test_cli.py has it on."""
    os.environ["CDK_VALIDATION"] = "false"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what must run on one worker: begun last, it would keep that one busy alone for minutes."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
