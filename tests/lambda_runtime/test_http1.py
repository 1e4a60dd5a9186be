from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.http1 import ClosedError, ProtocolError, ResponseReader


def feeding(pieces: Iterable[bytes]) -> Callable[[int], bytes]:
    """A socket's `recv` that gives back one piece a call, then the end."""
    left = iter([piece for piece in pieces if piece])
    return lambda _size: next(left, b"")


def read(pieces: Iterable[bytes], method: str = "GET") -> tuple[int, list[tuple[bytes, bytes]], bytes, ResponseReader]:
    reader = ResponseReader(feeding(pieces))
    status, _, headers = reader.head(method)
    return status, headers, b"".join(iter(reader.read, b"")), reader


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in pairwise(places)]


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@given(chunks=st.lists(st.binary(min_size=1, max_size=40)), cuts=st.lists(st.integers(0, 10_000)), trailer=st.booleans())
def test_chunks_are_the_same_wherever_the_network_cuts(chunks: list[bytes], cuts: list[int], trailer: bool) -> None:
    body = b"".join(b"%X;name=value\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    end = b"0\r\nX-Trailer: 1\r\n\r\n" if trailer else b"0\r\n\r\n"
    following = b"HTTP/1.1 204 None\r\n\r\n"
    status, headers, data, reader = read(split(CHUNKED + body + end + following, cuts))
    assert (status, data) == (200, b"".join(chunks))
    assert headers == [(b"Transfer-Encoding", b"chunked")]
    assert reader.complete
    assert reader.keep_alive
    assert reader.head("GET")[0] == 204


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), min_size=1), cut=st.integers(1, 10_000))
def test_chunks_that_are_cut_short_never_pass_as_whole(chunks: list[bytes], cut: int) -> None:
    whole = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    reader = ResponseReader(feeding([CHUNKED, whole[: -1 - cut % len(whole)]]))
    reader.head("GET")
    with pytest.raises(ClosedError):
        b"".join(iter(reader.read, b""))


@given(body=st.binary(max_size=200), cuts=st.lists(st.integers(0, 10_000)), missing=st.integers(1, 300))
def test_a_length_is_exact(body: bytes, cuts: list[int], missing: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    assert read(split(head % len(body) + body, cuts))[2] == body
    with pytest.raises(ClosedError):
        read(split(head % (len(body) + missing) + body, cuts))


def test_all_chunks_that_have_arrived_come_together() -> None:
    reader = ResponseReader(feeding([CHUNKED + b"1\r\na\r\n1\r\nb\r\n3\r\ncd", b"e\r\n0\r\n\r\n"]))
    reader.head("GET")
    assert [reader.read(), reader.read(), reader.read()] == [b"abcd", b"e", b""]


def test_a_body_without_length_ends_with_the_connection() -> None:
    status, _, data, reader = read([b"HTTP/1.0 200 OK\r\n\r\nab", b"c"])
    assert (status, data) == (200, b"abc")
    assert not reader.keep_alive


def test_header_fields_keep_case_order_and_bytes() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-b: \xff \r\nx-A:1\r\nX-b:\r\nContent-Length: 0\r\n\r\n"
    assert read([head])[1] == [(b"X-b", b"\xff"), (b"x-A", b"1"), (b"X-b", b""), (b"Content-Length", b"0")]


def test_interim_responses_are_skipped() -> None:
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx"
    assert read([head])[2] == b"x"


@pytest.mark.parametrize(
    ("head", "method"),
    [
        (b"HTTP/1.1 204 None\r\n\r\n", "GET"),
        (b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"),
    ],
)
def test_answers_that_never_have_a_body(head: bytes, method: str) -> None:
    assert read([head], method)[2] == b""


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    ],
)
def test_whether_a_connection_can_be_used_again(head: bytes, reusable: bool) -> None:
    assert read([head])[3].keep_alive is reusable


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\nSet-Cookie: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\0\r\n\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"0x1\r\na\r\n",
        CHUNKED + b"1\r\nab\r\n",
        CHUNKED + b"1" * 5000,
        CHUNKED + b"1;" + b"x" * 5000 + b"\r\na\r\n0\r\n\r\n",
        CHUNKED + b"\r\n",
    ],
)
def test_what_is_not_http_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read([data])
    assert not isinstance(caught.value, ClosedError)


def test_a_length_given_twice_alike_is_one_length() -> None:
    assert read([b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 1\r\n\r\nx"])[2] == b"x"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_that_is_cut_short(data: bytes) -> None:
    with pytest.raises(ClosedError):
        read([data])


@pytest.mark.parametrize(
    "data",
    [
        b"the model said: something private\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-api key: something private\r\n\r\n",
        CHUNKED + b"1\r\na\r\nsomething private\r\n",
    ],
)
def test_errors_quote_nothing_of_an_answer(data: bytes) -> None:
    """They get into the log, where neither completions nor keys belong."""
    with pytest.raises(ProtocolError) as caught:
        read([data])
    assert "private" not in str(caught.value)
