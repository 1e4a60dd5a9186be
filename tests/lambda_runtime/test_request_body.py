"""Properties of what is rewritten of a body: for any JSON, the top-level model and `stream_options` change, nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.errors import RequestError
from lambda_runtime.request_body import as_json, read_body

SPACE = st.text(alphabet=" \t\r\n", max_size=3)
NUMBERS = ["0", "-0", "-0.0", "1.0", "1e5", "1E+05", "0.1e-7", "12345678901234567890123", "1.000"]
KEYS = ["model", "stream_options", "messages", "Modell", "model ", "mod\\u0065lX", "", 'a\\"model\\":', "☃", "\\ud83d\\ude00"]


@st.composite
def string_literals(draw: st.DrawFn, text: str | None = None) -> str:
    """A JSON string in one of its many spellings."""
    text = draw(st.text(max_size=8)) if text is None else text
    pieces = []
    for character in text:
        plain = json.dumps(character, ensure_ascii=False)[1:-1]
        units = character.encode("utf-16-be", "surrogatepass")
        escaped = "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
        spellings = [escaped, escaped.upper().replace("\\U", "\\u"), *([] if "\ud800" <= character <= "\udfff" else [plain])]
        pieces.append(draw(st.sampled_from([*spellings, "\\/"] if character == "/" else spellings)))
    return '"' + "".join(pieces) + '"'


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kinds = ["string", "number", "constant"] + (["array", "object"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "string":
        return draw(string_literals())
    if kind == "number":
        return draw(st.sampled_from(NUMBERS))
    if kind == "constant":
        return draw(st.sampled_from(["true", "false", "null"]))
    items = draw(st.lists(values(depth - 1), max_size=3))
    if kind == "array":
        return "[" + draw(SPACE) + (draw(SPACE) + "," + draw(SPACE)).join(items) + draw(SPACE) + "]"
    members = [f'"{draw(st.sampled_from(KEYS))}"{draw(SPACE)}:{draw(SPACE)}{item}' for item in items]
    return "{" + draw(SPACE) + f"{draw(SPACE)},{draw(SPACE)}".join(members) + draw(SPACE) + "}"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[str], list[int], list[str]]:
    """A body as pieces, which of them are values of the top-level model, and what those say."""
    others = draw(st.lists(st.tuples(st.sampled_from(KEYS[1:]), values()), max_size=4))
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=2))
    members: list[tuple[str, str, bool]] = [(f'"{key}"', value, False) for key, value in others]
    members += [(draw(string_literals("model")), draw(string_literals(name)), True) for name in names]
    order = draw(st.permutations(range(len(members))))
    pieces, models, said = [draw(SPACE) + "{" + draw(SPACE)], [], []
    for position, index in enumerate(order):
        key, value, is_model = members[index]
        pieces.append(("," + draw(SPACE) if position else "") + key + draw(SPACE) + ":" + draw(SPACE))
        if is_model:
            models.append(len(pieces))
            said.append(json.loads(value))
        pieces.append(value)
        pieces.append(draw(SPACE))
    pieces.append("}" + draw(SPACE))
    return pieces, models, said


@given(body=bodies(), served=st.text(min_size=1, max_size=8))
def test_only_the_models_bytes_change(body: tuple[list[str], list[int], list[str]], served: str) -> None:
    pieces, models, said = body
    text = "".join(pieces)
    read = read_body(text)
    assert read.model == json.loads(text)["model"] == said[-1]
    rewritten = read.rewritten(served)
    for index, name in zip(models, said, strict=True):
        if name != served:
            pieces[index] = json.dumps(served)
    assert rewritten == "".join(pieces)
    assert json.loads(rewritten) == {**json.loads(text), "model": served}


@given(body=bodies())
def test_the_name_that_is_there_already_changes_nothing(body: tuple[list[str], list[int], list[str]]) -> None:
    pieces, models, said = body
    text = "".join(pieces)
    if len(set(said)) == 1:
        assert read_body(text).rewritten(said[0]) is text
    assert len(models) == len(said)


def outcome(text: str) -> str:
    """What Python's own parser makes of a body, by the gateway's rules."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    try:
        document = json.loads(text, parse_constant=refuse)
    except ValueError:
        return "invalid_json"
    if not isinstance(document, dict):
        return "invalid_type"
    model = document.get("model", ...)
    if model is ...:
        return "missing_required_parameter"
    if not isinstance(model, str):
        return "invalid_type"
    return "fine" if model else "invalid_value"


@given(body=bodies(), data=st.data())
def test_a_damaged_body_is_judged_as_pythons_parser_judges_it(body: Any, data: st.DataObject) -> None:
    text = "".join(body[0])
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 5)))
    damaged = text[:begin] + data.draw(st.sampled_from(["", "{", "}", '"', ",", ":", "x", "\\", "[", "\x00", "1"])) + text[end:]
    try:
        read_body(damaged)
        found = "fine"
    except RequestError as error:
        found = str(error.code)
        if error.param == "stream":
            return
    expected = outcome(damaged)
    several = len(re.findall(r'"model"|\\u', damaged)) > 1  # of several models each must be a text, not only the last
    assert found == expected or (
        several and expected in {"fine", "invalid_json"} and found in {"invalid_type", "invalid_value"}
    )


@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_body(text)
    except RequestError as error:
        assert error.status == 400  # noqa: PT017


@pytest.mark.parametrize("second", ["gpt-5", "gpt-4"])
def test_of_two_models_the_last_is_asked_for_and_both_are_replaced(second: str) -> None:
    body = read_body('{"model":"gpt-4", "model" : "' + second + '"}')
    assert body.model == second
    assert body.rewritten("served") == '{"model":"served", "model" : "served"}'
    assert body.rewritten("gpt-4") == '{"model":"gpt-4", "model" : "gpt-4"}'


@pytest.mark.parametrize(
    ("n", "choices"),
    [("", 1), (',"n":1', 1), (',"n":null', 1), (',"n":2', 2), (',"n":"3"', 1), (',"n":true', 1), (',"n":0', 1)],
)
def test_how_many_answers_are_asked_for(n: str, choices: int) -> None:
    assert read_body('{"model":"m"' + n + "}").choices == choices


@pytest.mark.parametrize(
    ("field", "reasons"),
    [
        ('"reasoning_effort":"high"', True),
        ('"reasoning_effort":"none"', False),
        ('"reasoning_effort":"minimal"', False),
        ('"reasoning_effort":null', False),
        ('"reasoning":{"effort":"low"}', True),
        ('"reasoning":{"effort":"none"}', False),
        ('"reasoning":{}', True),
        ('"thinking":{"type":"enabled","budget_tokens":1}', True),
        ('"thinking":{"type":"disabled"}', False),
        ('"thinking":{"type":["x"]}', True),
        ('"messages":[{"thinking":{}}]', False),
    ],
)
def test_whether_the_model_is_asked_to_think(field: str, reasons: bool) -> None:
    assert read_body('{"model":"m",' + field + "}").reasoning is reasons


@given(body=bodies(), served=st.text(min_size=1, max_size=8))
def test_usage_is_asked_for_and_nothing_else_changes(body: tuple[list[str], list[int], list[str]], served: str) -> None:
    text = "".join(body[0])
    read = read_body(text)
    before = json.loads(text)
    after = json.loads(read.rewritten(served, include_usage=True))
    options = before.get("stream_options")
    if options is None or isinstance(options, dict):
        assert after == {**before, "model": served, "stream_options": {**(options or {}), "include_usage": True}}
    else:
        assert after == {**before, "model": served}
    assert list(after) == list(dict.fromkeys([*before, *after]))


@pytest.mark.parametrize(
    ("options", "wants", "sent"),
    [
        ("", False, ',"stream_options":{"include_usage":true}'),
        (
            ', "stream_options": {"include_usage" : true, "x":1e0}',
            True,
            ', "stream_options": {"include_usage" : true, "x":1e0}',
        ),
        (',"stream_options":{"include_usage":false}', False, ',"stream_options":{"include_usage": true}'),
        (',"stream_options":null ', False, ',"stream_options":{"include_usage": true} '),
        (',"stream_options":{"a":"é"}', False, ',"stream_options":{"a": "\\u00e9", "include_usage": true}'),
        (',"stream_options":5', False, ',"stream_options":5'),
    ],
)
def test_stream_options_keep_what_the_client_said(options: str, wants: bool, sent: str) -> None:
    body = read_body('{"model":"m"' + options + "} \n")
    assert body.wants_usage is wants
    assert body.rewritten("m", include_usage=True) == '{"model":"m"' + sent + "} \n"
    assert body.rewritten("m") is body.text


def test_options_that_would_have_to_be_written_anew_and_cannot_be_are_refused() -> None:
    """1e999 is JSON, and infinity to Python, which JSON cannot say."""
    body = read_body('{"model":"m","stream_options":{"x":1e999}}')
    assert body.rewritten("m") is body.text
    with pytest.raises(RequestError, match="too large"):
        body.rewritten("m", include_usage=True)


def test_a_request_that_is_written_anew_and_cannot_be_is_refused() -> None:
    assert as_json({"a": "é"}, short=True) == '{"a":"é"}'
    with pytest.raises(RequestError, match="too large"):
        as_json({"a": float("inf")}, short=True)
