"""Finds and replaces a JSON body's top-level `model`, and leaves every other byte as it came.

Python's C scanner reads the values, so that the whole body is checked for validity on the way; only the outermost object is
walked here, because that is where the positions are needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined] # undocumented, as `scan_once`; a property test holds them
from typing import Any, NamedTuple, NoReturn

from lambda_runtime.errors import RequestError

_SPACE = re.compile(r"[ \t\n\r]*").match


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_scan = json.JSONDecoder(parse_constant=_no_constant).scan_once  # type: ignore[attr-defined]


class Body(NamedTuple):
    """A request's body, read as far as the gateway needs it.

    Args:
        text: the body as it came.
        model: the model that is asked for.
        stream: whether a stream is asked for.
        several: whether more than one answer is asked for (`n`).
        model_spans: where the values of the top-level `model` keys stand in `text`: first character, one past the last, value.
    """

    text: str
    model: str
    stream: bool
    several: bool
    model_spans: tuple[tuple[int, int, str], ...]

    def with_model(self, model: str) -> str:
        """The body with another model.

        A body that names `model` twice is ambiguous: we take the last, as Python and JavaScript do, but an upstream may take
        the first. So all of them are replaced, and the upstream is asked for what the model map says whichever it reads.
        """
        text = self.text
        for begin, end, value in reversed(self.model_spans):
            if value != model:
                text = text[:begin] + json.dumps(model) + text[end:]
        return text


def read_body(text: str) -> Body:
    """Read a request's body.

    Raises:
        RequestError: if it is not a JSON object, or `model` or `stream` is missing or of the wrong type.
    """
    spans: list[tuple[int, int, str]] = []
    stream = several = False
    try:
        for key, begin, end, value in _fields(text):
            if key == "model":
                spans.append((begin, end, _model(value)))
            elif key == "stream":
                stream = _stream(value)
            elif key == "n":
                several = value is not None and value != 1
    except json.JSONDecodeError as error:
        if text.startswith("\ufeff"):
            raise _invalid("it begins with a byte order mark; send UTF-8 without one") from None
        raise _invalid(f"it has {error.msg[0].lower()}{error.msg[1:]} at character {error.pos}") from None
    except ValueError:
        raise _invalid("it has a number that JSON does not know or that has too many digits") from None
    except RecursionError:
        raise _invalid("it is nested too deeply") from None
    if not spans:
        raise RequestError("missing field 'model': name the model to use", code="missing_required_parameter", param="model")
    return Body(text, spans[-1][2], stream, several, tuple(spans))


def _invalid(reason: str) -> RequestError:
    return RequestError(f"the body is not valid JSON: {reason}", code="invalid_json")


def _fields(text: str) -> Iterator[tuple[str, int, int, Any]]:
    """Walk over the outermost object: each key, where its value begins and ends, and the value."""
    position = _after_space(text, 0)
    if text[position : position + 1] != "{":
        end = _value(text, position)[1]
        _expect_end(text, end)
        raise RequestError("the body must be a JSON object", code="invalid_type")
    position = _after_space(text, position + 1)
    mark = text[position : position + 1]
    if mark == "}":
        _expect_end(text, position + 1)
        return
    while mark != "}":
        if text[position : position + 1] != '"':
            raise json.JSONDecodeError("no property name in double quotes", text, position)
        key, position = scanstring(text, position + 1, True)
        position = _after_space(text, position)
        if text[position : position + 1] != ":":
            raise json.JSONDecodeError("no colon", text, position)
        begin = _after_space(text, position + 1)
        value, end = _value(text, begin)
        yield key, begin, end, value
        position = _after_space(text, end)
        mark = text[position : position + 1]
        if mark not in {",", "}"}:
            raise json.JSONDecodeError("no comma and no closing brace", text, position)
        position = _after_space(text, position + 1)
    _expect_end(text, position)


def _value(text: str, position: int) -> tuple[Any, int]:
    try:
        value, end = _scan(text, position)
    except StopIteration as stop:  # how the scanner says that it ran into the end, or into something else
        raise json.JSONDecodeError("no value", text, stop.value) from None
    return value, end


def _after_space(text: str, position: int) -> int:
    if text[position : position + 1] in {" ", "\t", "\n", "\r"}:
        match = _SPACE(text, position)
        return match.end() if match else position
    return position


def _expect_end(text: str, position: int) -> None:
    position = _after_space(text, position)
    if position != len(text):
        raise json.JSONDecodeError("more text after its end", text, position)


def _model(value: Any) -> str:
    if not isinstance(value, str):
        raise RequestError(f"'model' must be a string, got {_json_type(value)}", code="invalid_type", param="model")
    if not value:
        raise RequestError("'model' must not be empty: name the model to use", code="invalid_value", param="model")
    return value


def _stream(value: Any) -> bool:
    if value is None:  # the formats declare it nullable, and some SDKs send it so
        return False
    if not isinstance(value, bool):
        raise RequestError(f"'stream' must be true or false, got {_json_type(value)}", code="invalid_type", param="stream")
    return value


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"
