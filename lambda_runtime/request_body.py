"""Reads of a request's JSON body what the gateway must know, and rewrites it without touching any other byte.

Python's C scanner reads the values, so that the whole body is checked for validity on the way; only the outermost object is
walked here, because that is where the positions are needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined] # undocumented, as `scan_once`; a property test holds them
from typing import Any, NamedTuple

from lambda_runtime.errors import RequestError
from lambda_runtime.json_scan import MAX_CONTAINERS, scan, too_many_containers

_SPACE = re.compile(r"[ \t\n\r]*").match
_INCLUDE_USAGE = '"stream_options":{"include_usage":true}'
_REASONING = ("reasoning_effort", "reasoning", "thinking")
_NAMING = ("tools", "fallbacks", "models", "input")
_READ = frozenset({"model", "stream", "n", "stream_options", *_REASONING, *_NAMING})
_SPELLED = frozenset({"model", "stream", "stream_options", *_NAMING})
"""Keys by which it is judged what may be asked for."""

_Span = tuple[int, int, Any]
"""Where a value stands in the text: first character, one past the last, and the value."""


class Body(NamedTuple):
    """A request's body, read as far as the gateway needs it.

    Args:
        text: the body as it came.
        model: the model that is asked for.
        stream: whether a stream is asked for.
        choices: how many answers are asked for (`n`).
        reasoning: whether the model is asked to think before it speaks.
        model_spans: the values of the top-level `model` keys.
        stream_options: the last value of the top-level `stream_options`, or None.
        naming: values that may name further models, see `other_models`: where each stands, and the value. Default: none.
    """

    text: str
    model: str
    stream: bool
    choices: int
    reasoning: bool
    model_spans: tuple[_Span, ...]
    stream_options: _Span | None
    naming: tuple[tuple[str, Any], ...] = ()

    @property
    def wants_usage(self) -> bool:
        """Whether the client asked for a chat completion stream's usage."""
        options = self.stream_options[2] if self.stream_options else None
        return isinstance(options, dict) and options.get("include_usage") is True

    def rewritten(self, model: str, *, include_usage: bool = False) -> str:
        """The body with another model.

        A body that names `model` twice is ambiguous: we take the last, as Python and JavaScript do, but an upstream may take
        the first. So all of them are replaced, and the upstream is asked for what the model map says whichever it reads.

        Args:
            model: the upstream's name of the model.
            include_usage: whether to ask for a chat completion stream's usage. Default: as the client did.

        Raises:
            RequestError: if that takes writing anew what JSON cannot hold.
        """
        edits = [(begin, end, json.dumps(model)) for begin, end, value in self.model_spans if value != model]
        text = self.text
        if include_usage and not self.wants_usage:
            if self.stream_options is None:
                end = text.rindex("}")
                edits.append((end, end, "," + _INCLUDE_USAGE))
            else:
                begin, end, options = self.stream_options
                if options is None or isinstance(options, dict):  # of another type it is the upstream's to refuse
                    edits.append((begin, end, as_json({**(options or {}), "include_usage": True})))
        for begin, end, replacement in sorted(edits, reverse=True):
            text = text[:begin] + replacement + text[end:]
        return text


def read_body(text: str) -> Body:
    """Read a request's body.

    Raises:
        RequestError: if it is not a JSON object, `model` or `stream` is missing or of the wrong type, or a key is written in
            another case.
    """
    fields = _read(text)
    spans = tuple(fields.get("model", ()))
    for _, _, value in spans:
        _require_model(value)
    if not spans:
        raise RequestError("missing field 'model': name the model to use", code="missing_required_parameter", param="model")
    options = fields.get("stream_options")
    choices = _last(fields, "n")
    return Body(
        text,
        spans[-1][2],
        stream=_stream(_last(fields, "stream")),
        choices=choices if isinstance(choices, int) and choices > 1 else 1,
        reasoning=any(_reasons(_last(fields, name)) for name in _REASONING if name in fields),
        model_spans=spans,
        stream_options=options[-1] if options else None,
        naming=tuple(_naming(fields)),
    )


def _read(text: str) -> dict[str, list[_Span]]:
    """The fields that the gateway looks at, each with all of its values."""
    fields: dict[str, list[_Span]] = {}
    misspelt = ""
    if too_many_containers(text):
        raise _invalid(f"it has more than {MAX_CONTAINERS:,} arrays and objects")
    try:
        for key, begin, end, value in _fields(text):
            if key in _READ:
                fields.setdefault(key, []).append((begin, end, value))
            elif key.casefold() in _SPELLED:
                misspelt = misspelt or key
    except json.JSONDecodeError as error:
        if text.startswith("\ufeff"):
            raise _invalid("it begins with a byte order mark; send UTF-8 without one") from None
        raise _invalid(f"it has {error.msg[0].lower()}{error.msg[1:]} at character {error.pos}") from None
    except ValueError:
        raise _invalid("it has a number that JSON does not know or that has too many digits") from None
    except RecursionError:
        raise _invalid("it is nested too deeply") from None
    if misspelt:
        # To many an upstream, those in Go among them, `Model` is `model`: it would serve another one than was judged.
        spelled = misspelt.casefold()
        message = f"the body's key {misspelt!r} must be written {spelled!r}: an upstream may read it as that"
        raise RequestError(message, code="invalid_value", param=spelled)
    return fields


def _naming(fields: Mapping[str, list[_Span]]) -> Iterator[tuple[str, Any]]:
    """Where a body may name further models. Of its input, which may be all of it, nothing but the tools in it is held."""
    for name in _NAMING:
        for _, _, value in fields.get(name, ()):
            if name != "input":
                yield name, value
            elif isinstance(value, list):
                for number, item in enumerate(value):
                    if isinstance(item, dict) and "tools" in item:
                        yield f"input[{number}].tools", item["tools"]


def as_json(document: dict[str, Any], *, short: bool = False) -> str:
    """A request or a part of it, written anew.

    Args:
        document: what it says.
        short: whether spaces and escapes are left out. Default: False.

    Raises:
        RequestError: if it holds a number that is too large. The client may write 1e999, but Python reads infinity.
    """
    try:
        return json.dumps(document, separators=(",", ":") if short else None, ensure_ascii=not short, allow_nan=False)
    except ValueError:
        raise _invalid("it has a number that is too large") from None


def _last(fields: dict[str, list[_Span]], name: str) -> Any:
    spans = fields.get(name)
    return spans[-1][2] if spans else None


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
        value, end = scan(text, position)
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


def _require_model(value: Any) -> None:
    if not isinstance(value, str):
        raise RequestError(f"'model' must be a string, got {_json_type(value)}", code="invalid_type", param="model")
    if not value:
        raise RequestError("'model' must not be empty: name the model to use", code="invalid_value", param="model")


def _stream(value: Any) -> bool:
    if value is None:  # the formats declare it nullable, and some SDKs send it so
        return False
    if not isinstance(value, bool):
        raise RequestError(f"'stream' must be true or false, got {_json_type(value)}", code="invalid_type", param="stream")
    return value


def _reasons(value: Any) -> bool:
    """Whether a field asks the model to think: an effort but `none`, or an object that does not disable it."""
    if isinstance(value, dict):
        value = value.get("type") or value.get("effort") or "enabled"
    return bool(value) and value not in ("none", "minimal", "disabled")


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
