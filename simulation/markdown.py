"""Tables and numbers as the document has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10


def row(*cells: object) -> str:
    """A line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(header: Sequence[str], rows: Iterable[str]) -> str:
    """A table.

    Args:
        header: its columns.
        rows: lines that `row` made.
    """
    return "\n".join([row(*header), "|" + "---|" * len(header), *rows])


def number(value: float, digits: int = 3) -> str:
    """A number, rounded to so many significant digits."""
    if not value:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}" if places > 0 else f"{rounded:,.0f}"


def count(value: float) -> str:
    """A whole number, as it is."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """A share, in percent."""
    return "0 %" if not share else "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"  # noqa: PLR2004  a rounded nothing


def seconds(value: float) -> str:
    """A time."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004  two digits are enough above


def usd(amount: float) -> str:
    """A sum of money."""
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"  # noqa: PLR2004  cents matter to small sums only


def size_name(size: int) -> str:
    """Requests a day."""
    return f"{size:,}"
