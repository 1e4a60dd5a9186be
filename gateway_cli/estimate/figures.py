"""How figures are written for people."""

from __future__ import annotations

_CENT = 0.01
_HUNDRED = 100


def dollars(amount: float) -> str:
    """Money, to the cent."""
    if 0 < amount < _CENT / 2:
        return "<$0.01"
    return f"-${-amount:,.2f}" if amount <= -_CENT / 2 else f"${abs(amount):,.2f}"


def price(amount: float) -> str:
    """A price of a million tokens, which may be small, but not without its cents."""
    exact = f"{amount:,.4f}".rstrip("0")
    whole, _, cents = exact.partition(".")
    return f"${whole}.{cents:0<2}"


def quantity(amount: float) -> str:
    """An amount of something that is billed."""
    return f"{amount:,.0f}" if amount >= _HUNDRED or amount == int(amount) else f"{amount:,.2f}"


def percent(share: float) -> str:
    """A share."""
    return f"{share * 100:,.1f} %"


def plain(value: float | str | None) -> str:
    """What an option holds."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.10g}" if isinstance(value, int | float) else value
