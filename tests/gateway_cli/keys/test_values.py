import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_cli.keys.values import PATTERN, checksum, new_value
from tests.local_gateway import ROOT

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def number_of(text: str) -> int:
    """A number in base 62, read independently of how it was written."""
    number = 0
    for digit in text:
        number = number * 62 + DIGITS.index(digit)
    return number


def test_a_value_is_one_that_api_gateway_takes_and_a_scanner_finds() -> None:
    values = {new_value() for _ in range(500)}
    assert len(values) == 500
    for value in values:
        assert re.fullmatch(r"[A-Za-z0-9]{20,128}", value)
        assert re.search(PATTERN, f'OPENAI_API_KEY="{value}"\n')
        assert number_of(value[-6:]) == zlib.crc32(value[:-6].encode())


def test_every_character_is_used() -> None:
    assert set("".join(new_value()[5:-6] for _ in range(500))) == set(DIGITS)


@pytest.mark.parametrize("text", ["aigwk" + "a" * 37, "aigwk" + "a" * 39, "xaigwk" + "a" * 38, "aigwk" + "-" * 38])
def test_what_is_no_value(text: str) -> None:
    assert not re.search(PATTERN, text)


@given(st.text(DIGITS, min_size=1))
def test_a_checksum_is_six_characters(text: str) -> None:
    assert len(checksum(text)) == 6
    assert number_of(checksum(text)) == zlib.crc32(text.encode())


def test_the_documented_pattern_is_this_one() -> None:
    assert PATTERN in (ROOT / "docs" / "operations.md").read_text("utf-8")
