"""What a hostile or broken upstream may answer: it ends within the time-outs, in bounded memory, as the upstream's fault."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count

import pytest

from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.inflate import MAX_PIECE, inflated
from lambda_runtime.json_scan import MAX_CONTAINERS
from lambda_runtime.usage import MAX_TOKENS
from tests.lambda_runtime.gateway_kit import (
    UPSTREAM_KEY,
    Kit,
    RecordingWriter,
    anthropic_upstream,
    both_formats,
    event,
    gateway_over,
    openai_upstream,
)
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import (
    JSON,
    SAID,
    SSE,
    Answer,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_stream,
    serve,
)

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES
SOON = Timeouts(first_content=0.15, unstreamed=0.15, idle=0.15)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
ASK = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}


class Discarding(RecordingWriter):
    """Keeps nothing, so that what is held is held by the gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.size = self.largest = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.largest = max(self.largest, len(data))


def endless(beginning: bytes, piece: bytes) -> Answer:
    """Sends the beginning, then a piece again and again until the gateway has enough."""

    def answer(_received: Received, connection: Connection) -> None:
        with suppress(OSError):
            connection.send(beginning)
            for _ in count():
                connection.send(piece)

    return answer


@pytest.mark.parametrize(
    ("beginning", "piece", "status", "code"),
    [
        (b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 500, 504, "upstream_timeout"),
        (b"", b"HTTP/1.1 100 Continue\r\n" + b"a: b\r\n" * 5_000 + b"\r\n", 504, "upstream_timeout"),
        (OK, b"a: b\r\n" * 1_000, 502, "upstream_error"),
        (OK + b"a: ", b"x" * 10_000, 502, "upstream_error"),
        (OK + b"a: b\r\n", b" folded\r\n" * 1_000, 502, "upstream_error"),
        (b"", b"x" * 10_000, 502, "upstream_error"),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", b"trailer: x\r\n" * 500, 504, "upstream_timeout"),
        (CHUNKED, (b"1;" + b"x" * 4_000 + b"\r\n \r\n") * 8, 504, "upstream_timeout"),
        (CHUNKED + b"1;", b"x" * 4_000, 502, "upstream_interrupted"),
        (CHUNKED, b"0" * 4_000, 502, "upstream_interrupted"),
        (EVENTS, b": nothing\n\n" * 500, 504, "upstream_timeout"),
        (EVENTS, b'data: {"choices":[],"padding":"%b"}\n\n' % (b"x" * 20_000), 502, "upstream_empty_answer"),
    ],
    ids=[
        "interim",
        "long-interim",
        "headers",
        "header",
        "folded",
        "status-line",
        "trailers",
        "extensions",
        "extension",
        "digits",
        "comments",
        "frames",
    ],
)
def test_what_never_ends_is_ended(upstream: UpstreamServer, beginning: bytes, piece: bytes, status: int, code: str) -> None:
    """Neither what keeps coming prolongs the time to the first content, nor does it pile up."""
    upstream.answer = endless(beginning, piece)
    # What is refused for its size is so before any time-out, however slow the machine is.
    timeouts = SOON if status == 504 else Timeouts()
    with gateway_over(openai_upstream("main", upstream.url), timeouts=timeouts) as kit:
        response = kit.call(event(CHAT, ASK | {"stream": True}))
    assert (response.status, response.json()["error"]["code"]) == (status, code)


def test_a_body_without_an_end_is_passed_on_and_not_held(upstream: UpstreamServer) -> None:
    upstream.answer = endless(OK + b"\r\n", b"x" * 65_536)
    writer = Discarding()
    with gateway_over(openai_upstream("main", upstream.url), timeouts=Timeouts(unstreamed=0.5)) as kit:
        kit.call(event(CHAT, ASK), writer)
    # Held until it is too long to be checked, from there on as it comes; and in the end it is said to be broken.
    assert writer.largest < 9 * 1024 * 1024
    assert (writer.status, writer.failure is None) in {(200, False), (504, True)}


@pytest.mark.parametrize(("status", "stream"), [(200, False), (200, True), (400, False), (503, True)])
def test_a_gzip_bomb_is_decoded_in_pieces(
    upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch, status: int, *, stream: bool
) -> None:
    """Megabytes out of kilobytes, all of which arrive at once."""
    pieces: list[int] = []

    def weighed(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
        for piece in inflated(chunks, encoding):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr("lambda_runtime.upstream_call.inflated", weighed)
    upstream.answer = answer_bytes(BOMB, status, [JSON, ("content-encoding", "gzip")])
    writer = Discarding()
    with gateway_over(openai_upstream("main", upstream.url), timeouts=Timeouts(unstreamed=0.5, first_content=0.5)) as kit:
        kit.call(event(CHAT, ASK | {"stream": stream}), writer)
    assert writer.largest < 9 * 1024 * 1024
    # Whatever becomes of it, and however little of that the client sees.
    assert pieces
    assert max(pieces) <= 256 * 1024


BOMB_MB = 40


def _bomb() -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join(compressor.compress(bytes(1024 * 1024)) for _ in range(BOMB_MB)) + compressor.flush()


BOMB = _bomb()


def test_no_piece_of_a_gzip_bomb_is_large_and_none_is_lost() -> None:
    sizes = [len(piece) for piece in inflated([BOMB], "gzip")]
    assert (max(sizes), sum(sizes)) == (MAX_PIECE, BOMB_MB * 1024 * 1024)


@pytest.mark.parametrize("size", [*range(MAX_PIECE - 2, MAX_PIECE + 260, 29), 2 * MAX_PIECE, 2 * MAX_PIECE + 1])
def test_what_fills_its_piece_to_the_brim_is_whole(size: int) -> None:
    """All of the input may be taken in then, and some of the output still to come; without a checksum nothing follows it."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bare = compressor.compress(bytes(size)) + compressor.flush()
    assert b"".join(inflated([bare], "deflate")) == bytes(size)
    for data in (gzip.compress(b"x" * size), gzip.compress(b"x" * size) + gzip.compress(b"y" * 5)):
        assert b"".join(inflated([data], "gzip")).rstrip(b"y") == b"x" * size


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}   ",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: " + b"9" * 400 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 900000000000000000\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n{}",
        b"HTTP/1.1 200 OK\r\na\0b: c\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n: c\r\n\r\n{}",
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n{}",
        b"HTTP/2 200\r\n\r\n{}",
        b"HTTP/1.1 999 OK\r\n\r\n{}",
    ],
)
def test_lies_about_length_and_framing_are_errors_and_never_an_answer(upstream: UpstreamServer, head: bytes) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.send(head)
        connection.cut()

    upstream.answer = answer
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        assert kit.call(event(CHAT, ASK)).status == 502


def test_what_stands_behind_an_answer_is_never_the_next_ones(upstream: UpstreamServer) -> None:
    """Response smuggling: bytes after the declared end would be the answer to somebody else's question."""
    smuggled = b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"evil":1}'
    real = json.dumps(SAID).encode()

    def answer(_received: Received, connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b%b" % (len(real), real, smuggled))

    upstream.answer = answer
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        for _ in range(5):
            assert kit.call(event(CHAT, ASK)).json() == SAID


def test_headers_of_an_answer_are_on_the_list_and_few(kit: Kit, upstream: UpstreamServer) -> None:
    bomb = [(f"x-ratelimit-{number}", "v" * 90) for number in range(500)]
    bad = [
        ("set-cookie", "a=b"),
        ("location", "https://evil.example"),
        ("access-control-allow-origin", "https://evil.example"),
        ("access-control-allow-credentials", "true"),
        ("strict-transport-security", "max-age=0"),
        ("content-security-policy", "x"),
        ("x-amzn-errortype", "x"),
        ("x-amzn-remapped-authorization", "x"),
        ("www-authenticate", "Basic"),
        ("x-ai-gateway-dropped", "x"),
        ("openai-\u00e9", "x"),
    ]
    upstream.answer = answer_json(SAID, headers=[*bad[:-1], *bomb, ("retry-after", "7")])
    response = kit.call(event(CHAT, ASK))
    names = {name for name, _ in response.headers}
    assert not names & {name for name, _ in bad} - {"access-control-allow-origin"}
    assert response.header("access-control-allow-origin") == "*"
    assert response.header("retry-after") == "7"
    assert sum(len(value) for _, value in response.headers) < 10_240


def depths(low: int, high: int, fails: Callable[[int], bool]) -> range:
    """Those around the one at which a nested answer can no longer be read."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return range(max(1, low - 25), low + 25)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_no_depth_of_an_answers_nesting_is_a_defect_of_ours(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], *, translated: bool, stream: bool
) -> None:
    """It is the upstream's 502, which another upstream can make good: not our 500, after which nobody is asked."""
    other = anthropic_upstream if translated else openai_upstream

    def status(depth: int) -> int:
        if translated:
            body = b'{"content":[{"type":"tool_use","id":"i","name":"n","input":{"a":%b}}],"stop_reason":"tool_use"}'
        else:
            body = b'{"choices":[{"message":{"content":%b},"finish_reason":"stop"}]}'
        upstream.answer = answer_bytes(body % nested(depth))
        with gateway_over(other("main", upstream.url)) as kit:
            return kit.call(event(CHAT, ASK | {"stream": stream})).status

    for depth in depths(1, 60_000, lambda depth: status(depth) == 502):
        assert status(depth) in {200, 502}
    assert "internal_error" not in capsys.readouterr().out


def test_an_answer_of_a_million_objects_is_none(upstream: UpstreamServer) -> None:
    """Eight megabytes of them would take three hundred of memory."""
    many = b"{}," * MAX_CONTAINERS + b"{}"
    upstream.answers = [answer_bytes(b'{"choices":[%b]}' % many), answer_json(SAID)]
    with gateway_over(
        openai_upstream("a", upstream.url), openai_upstream("b", upstream.url), models={"m": ["a/m", "b/m"]}
    ) as kit:
        assert kit.call(event(CHAT, ASK)).json() == SAID


def test_an_event_of_a_million_objects_is_dropped(upstream: UpstreamServer) -> None:
    bomb = b'data: {"choices":[{"finish_reason":null,"delta":{"content":"x"}}],"a":[%b]}\n\n' % (
        b"{}," * MAX_CONTAINERS + b"{}"
    )
    upstream.answer = answer_stream([CHAT_STREAM[0], bomb, *CHAT_STREAM[1:]])
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        response = kit.call(event(CHAT, ASK | {"stream": True}))
    assert response.body == b"".join(CHAT_STREAM)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":[' + nested(100_000) + b"]}", b'{"data":[' + b"9" * 5_000 + b"]}"])
def test_one_upstreams_list_of_models_does_not_spoil_the_others(upstream: UpstreamServer, body: bytes) -> None:
    with serve() as other:
        other.answer = answer_json({"data": [{"id": "good"}]})
        upstream.answer = answer_bytes(body)
        with gateway_over(both_formats("bad", upstream.url), both_formats("fine", other.url)) as kit:
            response = kit.call(event("/v1/models"))
    assert (response.status, [model["id"] for model in response.json()["data"]]) == (200, ["good"])


@pytest.mark.parametrize("tokens", [MAX_TOKENS + 1, 10**40, 10**4_000, -1, 1.5, "7", True, None, [], {}])
def test_figures_that_are_none_count_nothing(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], tokens: object
) -> None:
    """A number beyond the table's would lose the consumer's usage, one beyond a metric's the whole line's metrics."""
    upstream.answer = answer_json(SAID | {"usage": {"prompt_tokens": tokens, "completion_tokens": 5}})
    assert kit.call(event(CHAT, ASK)).status == 200
    line = json.loads(capsys.readouterr().out)
    assert (line["InputTokens"], line["OutputTokens"]) == (0, 5)


def test_an_upstream_that_holds_the_connection_open_holds_nobody(upstream: UpstreamServer) -> None:
    """It has said its last word, and never closes."""
    over = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [SSE])
        for chunk in CHAT_STREAM:
            connection.chunk(chunk)
        over.wait(20)

    upstream.answer = answer
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        response = kit.call(event(CHAT, ASK | {"stream": True}))
        over.set()
    assert (response.ended, response.failure) == (True, None)
    assert UPSTREAM_KEY.encode() not in response.body
