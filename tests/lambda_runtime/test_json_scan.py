"""The scanner behind `json.loads`, without its wrapping: they must agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.json_scan import parse_object, scan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
SPACE = st.text(alphabet=" \t\r\n", max_size=3)


def expected(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@given(value=VALUES, before=SPACE, after=SPACE, ascii_only=st.booleans())
def test_it_reads_what_python_reads(value: Any, before: str, after: str, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert scan(text, 0) == (value, len(text))
    assert scan(before + text + after, len(before)) == (value, len(before) + len(text))
    data = (before + text + after).encode()
    assert parse_object(data) == expected(data)


@given(value=VALUES.filter(lambda value: isinstance(value, dict)), data=st.data())
def test_damaged_json_is_judged_alike(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value).encode()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 3)))
    damaged = (
        text[:begin] + data.draw(st.sampled_from([b"", b"{", b"}", b'"', b",", b"\\", b"\xff", b"x", b" ", b"]"])) + text[end:]
    )
    assert parse_object(damaged) == expected(damaged)


@given(data=st.binary(max_size=12))
def test_any_bytes_are_an_object_or_not(data: bytes) -> None:
    assert parse_object(data) == expected(data)


@pytest.mark.parametrize(
    "data", [b"{" * 100_000, b'{"a":' + b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"", b" ", b"{}{}", b"null"]
)
def test_what_is_no_object(data: bytes) -> None:
    assert parse_object(data) is None


def test_a_byte_order_mark_is_read_over() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
