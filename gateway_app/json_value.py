"""A value of a JSON document together with its path, so that whatever is wrong with it can be named."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class ContextError(ValueError):
    """The configuration is wrong. The message names the path in the document, the value received and the way out."""


@contextmanager
def blamed_on(path: str) -> Iterator[None]:
    """Name the path in errors of value objects, which check what they are given but do not know where it was written.

    Raises:
        ContextError: in place of a ValueError.
    """
    try:
        yield
    except ContextError:
        raise
    except ValueError as error:
        raise ContextError(f"{path}: {error}") from error


def nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """The way out for a name that does not exist: the nearest known one, and all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"{guess}known: {', '.join(known) or 'none'}"


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value and where it is.

    Args:
        path: for example `ai-gateway.plans.standard.rate`.
        value: as `json.loads` gives it.

    Raises:
        ContextError: each method, if the value is not what the method is named after.
    """

    path: str
    value: Any

    def fields(self, *known: str, required: tuple[str, ...] = ()) -> dict[str, JsonValue]:
        """An object's members by name; `null` counts as left out.

        Args:
            known: the names that it may have.
            required: those of them that it must have.
        """
        members = self.members()
        for name, member in members.items():
            if name not in known:
                raise ContextError(f"{member.path} is no setting, got {member.value!r}; {nearest(name, known)}")
        given = {name: member for name, member in members.items() if member.value is not None}
        for name in required:
            if name not in given:
                raise ContextError(f"{self.path}.{name} is missing, got only {list(given)}; give it")
        return given

    def members(self) -> dict[str, JsonValue]:
        """An object's members, whatever their names."""
        if not isinstance(self.value, Mapping):
            raise self._unexpected('an object, for example {"name": ...}')
        return {name: JsonValue(f"{self.path}.{name}", value) for name, value in self.value.items()}

    def items(self) -> list[JsonValue]:
        """A list's items."""
        if not isinstance(self.value, list):
            raise self._unexpected("a list, for example [...]")
        return [JsonValue(f"{self.path}[{index}]", value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A string with something in it."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self._unexpected("a string that is not empty")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self._unexpected("true or false, without quotes")
        return self.value

    def positive(self) -> float:
        """A number above 0."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not 0 < self.value < math.inf:
            raise self._unexpected("a number above 0, without quotes")
        return self.value

    def amount(self) -> float:
        """A number of 0 or more."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not 0 <= self.value < math.inf:
            raise self._unexpected("a number of 0 or more, without quotes")
        return self.value

    def share(self) -> float:
        """A number from 0 to 1."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not 0 <= self.value <= 1:
            raise self._unexpected("a number from 0 to 1, without quotes, for example 0.05")
        return self.value

    def percentage(self) -> float:
        """A number from 0 to 100."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not 0 <= self.value <= 100:  # noqa: PLR2004
            raise self._unexpected("a percentage from 0 to 100, without quotes, for example 5")
        return self.value

    def whole(self, minimum: int, maximum: int | None = None) -> int:
        """A whole number within limits, both included."""
        value = self.value
        # jsii hands some whole numbers over as floats.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < minimum
            or (maximum is not None and value > maximum)
        ):
            limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
            raise self._unexpected(f"a whole number {limits}, without quotes")
        return value

    def choice(self, known: Mapping[str, T]) -> T:
        """One of the known names; gives what it stands for."""
        name = str(self.value)
        if name not in known:
            raise ContextError(f"{self.path}: {self.value!r} does not exist; {nearest(name, known)}")
        return known[name]

    def _unexpected(self, expected: str) -> ContextError:
        return ContextError(f"{self.path} must be {expected}, got {self.value!r}")
