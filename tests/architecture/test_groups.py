"""Tests that share a gateway run on one worker. Without that nothing fails, but each worker starts every gateway."""

import pytest


@pytest.mark.xdist_group("grouped")
def test_a_group_is_kept_together(request: pytest.FixtureRequest) -> None:
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("nobody has asked for groups (-n 3 --dist loadgroup)")
    said = "pytest-xdist groups nothing beside this pytest (3.8 does not beside 9.2): install what requirements-dev.txt pins"
    assert request.node.nodeid.endswith("@grouped"), said
