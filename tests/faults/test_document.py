"""The committed document says what the tests demand."""

from __future__ import annotations

import re

from tests.faults.document import PATH, expected, render, without_times


def test_the_document_is_what_the_run_gives() -> None:
    committed = without_times(PATH.read_text(encoding="utf-8"))
    assert committed == without_times(render(expected)), "run `make faults`"


def test_only_times_are_left_out() -> None:
    text = without_times(render(expected))
    assert " 0.0" not in text
    assert re.search(r"\| status 500 \| JSON \| 500 `server_error`.* \| 2 \| the second's answer \| 2 \+ 1 \| 3", text)
