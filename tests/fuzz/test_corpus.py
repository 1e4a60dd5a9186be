"""The kept inputs hold on every platform, without a fuzzer: what was once found stays mended."""

from __future__ import annotations

import pytest

from tests.fuzz import corpus


@pytest.mark.parametrize("name", corpus.TARGETS)
def test_what_must_hold_holds(name: str) -> None:
    target = corpus.target(name)
    outcomes = set()
    for title, data in corpus.read(name).items():
        try:
            outcomes.add(target.check(data))
        except Exception as error:
            error.add_note(f"{name}: {title}: {data!r}")
            raise
    # What the inputs do not reach, no invariant sees.
    assert outcomes == target.OUTCOMES


def test_the_inputs_are_few_and_small() -> None:
    assert sum(corpus.path_of(name).stat().st_size for name in corpus.TARGETS) < 600_000
