"""Compressed bodies: where the network cuts makes no difference, and what is short of its end is an error."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.inflate import MAX_PIECE, InflateError, inflated


def bare(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


KINDS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare),
]


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@given(data=st.binary(max_size=300), kind=st.sampled_from(KINDS), cuts=st.lists(st.integers(0, 10_000), max_size=5))
def test_the_data_come_back_however_they_are_cut(
    data: bytes, kind: tuple[str, Callable[[bytes], bytes]], cuts: list[int]
) -> None:
    encoding, compress = kind
    assert b"".join(inflated(split(compress(data), cuts), encoding)) == data


@given(data=st.binary(max_size=300), kind=st.sampled_from(KINDS), missing=st.integers(1, 400))
def test_what_ends_early_is_an_error(data: bytes, kind: tuple[str, Callable[[bytes], bytes]], missing: int) -> None:
    encoding, compress = kind
    compressed = compress(data)
    pieces = split(compressed[: max(1, len(compressed) - missing)], [])
    with pytest.raises(InflateError):
        list(inflated(pieces, encoding))


@pytest.mark.parametrize("length", [MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE, 5_000_000])
@pytest.mark.parametrize(("encoding", "compress"), KINDS)
def test_a_bomb_comes_in_pieces(encoding: str, compress: Callable[[bytes], bytes], length: int) -> None:
    pieces = list(inflated([compress(b"a" * length)], encoding))
    assert max(map(len, pieces)) <= MAX_PIECE
    assert b"".join(pieces) == b"a" * length


def test_members_follow_each_other() -> None:
    assert b"".join(inflated([gzip.compress(b"a") + gzip.compress(b"b")[:5], gzip.compress(b"b")[5:]], "gzip")) == b"ab"


def test_each_flushed_piece_is_handed_out_at_once() -> None:
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    pieces = [compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH) for data in (b"data: 1", b"data: 2")]
    assert list(inflated([*pieces, compressor.flush()], "gzip")) == [b"data: 1", b"data: 2"]


@pytest.mark.parametrize(("encoding", "data"), [("gzip", b'{"a":1}'), ("deflate", b"\xff\xff\xff")])
def test_what_is_not_compressed_is_an_error(encoding: str, data: bytes) -> None:
    with pytest.raises(InflateError):
        list(inflated([data], encoding))


def test_nothing_is_nothing() -> None:
    assert list(inflated([], "gzip")) == []
