"""A request's body: read as JSON reads it, and rewritten so that nothing but the model is another."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from lambda_runtime.errors import RequestError
from lambda_runtime.request import body_bytes
from lambda_runtime.request_body import read_body
from tests.fuzz.inputs import taken_apart

KIND = "json"
SOURCES = ("lambda_runtime/request_body.py", "lambda_runtime/request.py")
OUTCOMES = frozenset({"read", "refused: invalid_json", "refused: other", "half a surrogate pair", "a number that is too large"})

MODEL = 'upstream/"ⓜ" model'


class _Object(list[tuple[str, Any]]):
    """An object as its members, in their order, doubles included."""


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _members(text: str) -> Any:
    return _parsed(text, object_pairs_hook=_Object, parse_constant=_no_constant, parse_int=_Number, parse_float=_Number)


def _parsed(text: str | bytes, **hooks: Any) -> Any:
    # What the gateway can just read must not be too deep here, where more calls lie between.
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(usual + 200)
    try:
        return json.loads(text, **hooks)
    finally:
        sys.setrecursionlimit(usual)


def _valid(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def check(data: bytes) -> str:
    """What is kept of a body that is passed on."""
    options, material = taken_apart(data)
    text = material.decode("utf-8", "surrogateescape")  # in JSON, an event may hold half of a surrogate pair
    ask = "u" in options
    try:
        body = read_body(text)
    except RequestError as error:
        assert error.status == 400
        assert len(error.message) < 200 + 40
        json.dumps(error.message).encode()
        if error.code == "invalid_json":
            # How deep is too deep depends on who asks.
            assert not _valid(text) or "too deeply" in error.message
            return "refused: invalid_json"
        assert _valid(text)
        return "refused: other"
    document = _parsed(text, parse_constant=_no_constant)
    assert (body.model, body.stream) == (document["model"], document.get("stream") is True)
    assert body.choices == (document.get("n") if isinstance(document.get("n"), int) and document["n"] > 1 else 1)
    try:
        rewritten = body.rewritten(MODEL, include_usage=ask)
    except RequestError:
        assert ask
        assert "e" in text.lower()
        return "a number that is too large"
    _only_the_model_changed(text, rewritten, ask=ask)
    again = read_body(rewritten)
    assert again.model == MODEL
    assert (again.stream, again.choices, again.reasoning) == (body.stream, body.choices, body.reasoning)
    assert again.rewritten(MODEL, include_usage=ask) == rewritten
    if len(body.model_spans) == 1:
        assert body.rewritten(body.model) == text
    try:
        sent = body_bytes(rewritten)
    except RequestError as error:
        assert error.code == "invalid_json"
        return "half a surrogate pair"
    assert _parsed(sent)["model"] == MODEL
    return "read"


def _only_the_model_changed(before: str, after: str, *, ask: bool) -> None:
    old, new = _members(before), _members(after)
    if ask and "stream_options" not in [name for name, _ in old]:
        added = new.pop()
        assert added == ("stream_options", [("include_usage", True)])
    assert len(new) == len(old)
    last = max((index for index, (name, _) in enumerate(old) if name == "stream_options"), default=-1)
    for index, ((name, value), (same, rewritten)) in enumerate(zip(old, new, strict=True)):
        assert same == name
        if name == "model":
            assert rewritten == MODEL
        elif ask and index == last and (value is None or isinstance(value, _Object)):
            # Written anew, so that only its meaning is the same.
            were, are = _parsed(before)["stream_options"] or {}, _parsed(after)["stream_options"]
            assert are == {**were, "include_usage": True}
        else:
            assert rewritten == value
            assert type(rewritten) is type(value)
