"""How many bytes DynamoDB takes an item for: what a write or a read is charged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def attribute_size(name: str, value: Mapping[str, str]) -> int:
    """Bytes of an attribute, its name included.

    Args:
        name: its name.
        value: text or number, in DynamoDB's own form.
    """
    number = value.get("N")
    return len(name) + (len(value["S"].encode()) if number is None else number_size(number))


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item."""
    return sum(attribute_size(name, value) for name, value in item.items())


def growth(name: str, before: Mapping[str, str] | None, after: str) -> int:
    """Bytes by which an addition makes an item larger: what most calls of the table ask for.

    Args:
        name: of a count, a whole number that is not negative.
        before: the count before; None if there was none.
        after: the count.
    """
    digits = (len(after.strip("0")) + 1) // 2
    return digits + 1 + len(name) if before is None else digits - (len(before["N"].strip("0")) + 1) // 2


def number_size(text: str) -> int:
    """One byte for two significant digits, and one more; another one below zero."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
