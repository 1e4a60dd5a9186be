from __future__ import annotations

import pytest

from benchmarks.document import PERFORMANCE, with_block


def test_only_what_is_between_the_markers_changes() -> None:
    document = (
        "Before.\n\n<!-- begin one (make it) -->\nold\n<!-- end one -->\n\n<!-- begin two -->\n<!-- end two -->\nAfter.\n"
    )
    once = with_block(document, "one", "new")
    assert once == document.replace("old\n", "\nnew\n\n")
    assert with_block(once, "one", "new") == once


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no marker"):
        with_block("<!-- begin one -->", "one", "new")


@pytest.mark.parametrize("name", ["memory", "peers", "peers-by-share"])
def test_the_document_has_them(name: str) -> None:
    text = PERFORMANCE.read_text("utf-8")
    assert with_block(text, name, "new") != text
