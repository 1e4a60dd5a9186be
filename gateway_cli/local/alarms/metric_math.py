"""CloudWatch's metric math, as far as the alarms of a gateway use it.

Everything is a time series here: a value for each window, oldest first, None where data is missing. A number is the same in
each of them. What is computed from missing data is missing, and so is a division by zero. A comparison is 1 or 0.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

Values = list[float | None]
Array = list[Values]
"""Several series, in brackets."""

_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||[-+*/^<>()\[\],]))")

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else None,
}
_JOINED: Mapping[str, Callable[[Sequence[float]], float]] = {
    "MAX": max,
    "MIN": min,
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
}


class MetricMathError(Exception):
    """An expression that cannot be computed here; the message says which part."""


def evaluate(expression: str, series: Mapping[str, Values], windows: int) -> Values:
    """The series that an expression makes of others.

    Args:
        expression: in CloudWatch's words.
        series: by the ids that the expression has for them; each as long as there are windows.
        windows: how many there are.

    Raises:
        MetricMathError: if it is malformed, or uses what is not known here.
    """
    parser = _Parser(list(_tokens(expression)), series, windows)
    values = parser.any_of()
    if parser.next:
        raise MetricMathError(f"{parser.next!r} is not expected there")
    return _series(values)


def _tokens(expression: str) -> Iterator[str]:
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise MetricMathError(f"{text[position:].strip()[:20]!r} is not understood")
        position = match.end()
        yield match[0].strip()


def _series(value: Values | Array) -> Values:
    if any(isinstance(item, list) for item in value):
        raise MetricMathError("several series are not one; use MAX, MIN, SUM or AVG")
    return value  # type: ignore[return-value]


class _Parser:
    """Computes while it reads; the windows are few."""

    def __init__(self, tokens: list[str], series: Mapping[str, Values], windows: int) -> None:
        self._tokens = tokens
        self._series = series
        self._windows = windows

    @property
    def next(self) -> str:
        """The next token, empty at the end."""
        return self._tokens[0] if self._tokens else ""

    def any_of(self) -> Values | Array:
        value = self._all_of()
        while self.next in ("OR", "||"):
            self._take()
            value = _each(lambda a, b: float(bool(a) or bool(b)), _series(value), _series(self._all_of()))
        return value

    def _all_of(self) -> Values | Array:
        value = self._comparison()
        while self.next in ("AND", "&&"):
            self._take()
            value = _each(lambda a, b: float(bool(a) and bool(b)), _series(value), _series(self._comparison()))
        return value

    def _comparison(self) -> Values | Array:
        value = self._operations(("+", "-"), lambda: self._operations(("*", "/"), self._signed))
        while compare := _COMPARISONS.get(self.next):
            self._take()
            other = self._operations(("+", "-"), lambda: self._operations(("*", "/"), self._signed))
            value = _each(compare, _series(value), _series(other))
        return value

    def _operations(self, operators: Sequence[str], operand: Callable[[], Values | Array]) -> Values | Array:
        value = operand()
        while self.next in operators:
            value = _each(_ARITHMETIC[self._take()], _series(value), _series(operand()))
        return value

    def _signed(self) -> Values | Array:
        if self.next == "-":
            self._take()
            return [None if value is None else -value for value in _series(self._signed())]
        return self._primary()

    def _primary(self) -> Values | Array:
        found = self._take()
        if found == "(":
            value = self.any_of()
            self._take(")")
            return value
        if found == "[":
            listed = [_series(value) for value in self._listed("]")]
            if not listed:
                raise MetricMathError("a list without a series is not known here")
            return listed
        if found[:1].isdigit() or found[:1] == ".":
            number: Values = [float(found)] * self._windows
            return number
        if self.next == "(":
            self._take()
            return self._call(found)
        if found in self._series:
            return self._series[found]
        raise MetricMathError(f"{found!r} is neither a metric nor a function" if found else "it ends too early")

    def _call(self, name: str) -> Values:
        if name == "FILL":
            return self._fill()
        arguments = self._listed(")")
        if name == "IF" and len(arguments) in (2, 3):
            otherwise: Values = _series(arguments[2]) if arguments[2:] else [None] * self._windows
            return [
                None if test is None else (yes if test else no)
                for test, yes, no in zip(_series(arguments[0]), _series(arguments[1]), otherwise, strict=True)
            ]
        if name in _JOINED and len(arguments) == 1:
            return self._joined(_JOINED[name], arguments[0])
        raise MetricMathError(f"the function {name} with {len(arguments)} arguments is not known here")

    def _joined(self, join: Callable[[Sequence[float]], float], argument: Values | Array) -> Values:
        """Of an array: window by window. Of one series: one number over all windows."""
        if any(isinstance(item, list) for item in argument):
            columns = zip(*(_series(item) for item in argument), strict=True)  # type: ignore[arg-type]
            present = ([value for value in column if value is not None] for column in columns)
            return [join(values) if values else None for values in present]
        values = [value for value in _series(argument) if value is not None]
        return [join(values) if values else None] * self._windows

    def _fill(self) -> Values:
        values = _series(self.any_of())
        self._take(",")
        if self.next != "REPEAT":
            other = _series(self.any_of())
            self._take(")")
            return [fill if value is None else value for value, fill in zip(values, other, strict=True)]
        self._take()
        self._take(")")
        filled: Values = []
        for value in values:
            filled.append(filled[-1] if value is None and filled else value)
        return filled

    def _listed(self, end: str) -> list[Values | Array]:
        listed: list[Values | Array] = []
        while self.next != end:
            if listed:
                self._take(",")
            listed.append(self.any_of())
        self._take(end)
        return listed

    def _take(self, expected: str | None = None) -> str:
        if expected is not None and self.next != expected:
            raise MetricMathError(f"{expected!r} is missing" + (f" before {self.next!r}" if self.next else " at the end"))
        return self._tokens.pop(0) if self._tokens else ""


def _each(compute: Callable[[float, float], float | None], first: Values, second: Values) -> Values:
    """What two series give, window by window. A comparison's truth is the number 1 or 0."""
    return [None if a is None or b is None else _number(compute(a, b)) for a, b in zip(first, second, strict=True)]


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
