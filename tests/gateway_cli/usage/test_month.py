import datetime as dt

import pytest

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.usage.month import parse_month

TODAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        (None, "2026-11-01", "2026-11-22"),
        ("2026-11", "2026-11-01", "2026-11-22"),
        ("2026-10", "2026-10-01", "2026-10-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
    ],
)
def test_a_month_as_far_as_it_has_come(text: str | None, first: str, last: str) -> None:
    month = parse_month(text, TODAY)
    assert (month.first.isoformat(), month.last.isoformat()) == (first, last)
    assert str(month) == first[:7]


@pytest.mark.parametrize("text", ["", "11", "2026-13", "2026-1", "26-11", "2026-11-01", "0000-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_month(text, TODAY)
    assert caught.value.status == MISTAKEN
    assert repr(text) in str(caught.value)


def test_a_month_that_has_not_begun() -> None:
    with pytest.raises(CommandError, match="the month 2026-12 has not begun; today it is 2026-11-22 in UTC"):
        parse_month("2026-12", TODAY)
