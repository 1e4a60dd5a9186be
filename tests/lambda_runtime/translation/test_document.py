"""docs/translation.md is true: each field that the code knows of is in it, with the fate that it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambda_runtime.translation import chat_request, messages_request, stop_reasons
from lambda_runtime.translation.chat_history import BEGINNING, CONTINUE
from lambda_runtime.translation.claude_models import FOREIGN_MAX_TOKENS, ClaudeModel
from lambda_runtime.translation.errors import CONTEXT_EXCEEDED, TOO_LONG
from lambda_runtime.translation.messages_history import ERROR
from lambda_runtime.translation.request import NAMES_AT_MOST
from lambda_runtime.translation.thinking import BUDGETS

TEXT = (Path(__file__).parents[3] / "docs" / "translation.md").read_text("utf-8")
FLAT = " ".join(TEXT.split())


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    cells = [[cell.strip() for cell in line.split(" | ")] for line in text.splitlines() if line.startswith("| `")]
    return [[row[0].strip('|` "'), *(cell.strip("| ") for cell in row[1:])] for row in cells]


@pytest.mark.parametrize(
    ("title", "tables"),
    [
        ("Chat completions → messages: the request's fields", chat_request),
        ("Messages → chat completions: the request's fields", messages_request),
    ],
)
def test_every_field_is_listed_with_its_fate(title: str, tables: Any) -> None:
    fates = dict.fromkeys(tables.TRANSLATED, "translated") | dict.fromkeys(tables.REFUSED, "400")
    fates |= dict.fromkeys(tables.DROPPED, "dropped")
    listed = rows(section(title))
    assert {row[0]: row[1] for row in listed} == fates
    assert len(listed) == len(fates)


def test_every_reason_is_listed() -> None:
    listed = {row[0]: row[1] for row in rows(section("Answers and streams").split("| stop reason |")[1])}
    assert listed.keys() == stop_reasons.FINISH_REASONS.keys()
    for reason, finish in stop_reasons.FINISH_REASONS.items():
        assert f"`{finish}`" in listed[reason]
    assert all(f"`{finish}`" in TEXT for finish in stop_reasons.STOP_REASONS)


def test_the_numbers_and_words_are_the_codes() -> None:
    for version in ((99, 0), (3, 7), (3, 5), (3, 0)):
        assert f"{ClaudeModel('', version).default_max_tokens:,}" in TEXT
    assert f"{FOREIGN_MAX_TOKENS:,} for other makers" in TEXT
    for budget in BUDGETS.values():
        assert f"{budget:,}" in section("Thinking")
    for words in (BEGINNING, CONTINUE, ERROR, CONTEXT_EXCEEDED, TOO_LONG, f"{NAMES_AT_MOST} names at most"):
        assert words.strip() in FLAT
