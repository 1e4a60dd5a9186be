"""The transport under a plain httpx client, against a server on loopback."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest

from lambda_runtime.connection import Connection as ClientConnection
from lambda_runtime.connection import Origin
from lambda_runtime.transport import HttpClientTransport, ReadBudget
from tests.lambda_runtime.upstream_server import (
    SAID,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_with_silence,
    serve,
)


@pytest.fixture
def transport() -> Iterator[HttpClientTransport]:
    transport = HttpClientTransport()
    yield transport
    transport.close()


@pytest.fixture
def client(transport: HttpClientTransport) -> Iterator[httpx.Client]:
    with httpx.Client(transport=transport, trust_env=False) as client:
        yield client


def test_request_and_answer_pass_as_they_are(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_bytes(b"\x00\xffbody", 418, [("X-MiXed", "Gr\xfc\xdfe"), ("x-two", "1"), ("X-Two", "2")])
    response = client.post(
        upstream.url + "/p%20a/th?b=%2F&a", content=b"\xff{}", headers=[("X-Own", "1"), ("accept-encoding", "identity")]
    )
    assert response.status_code == 418
    assert response.content == b"\x00\xffbody"
    assert response.headers.raw[:3] == [(b"X-MiXed", b"Gr\xfc\xdfe"), (b"x-two", b"1"), (b"X-Two", b"2")]
    assert upstream.last.method == "POST"
    assert upstream.last.target == "/p%20a/th?b=%2F&a"
    assert upstream.last.body == b"\xff{}"
    assert upstream.last.header("host") == f"127.0.0.1:{upstream.port}"
    assert upstream.last.header("x-own") == "1"
    assert upstream.last.header("content-length") == "3"


def test_the_body_is_never_decoded(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_bytes(b"not gzip at all", headers=[("content-encoding", "gzip")])
    with client.stream("GET", upstream.url) as response:
        assert b"".join(response.iter_raw()) == b"not gzip at all"


def test_a_chunk_is_handed_out_before_the_next_is_sent(upstream: UpstreamServer, client: httpx.Client) -> None:
    seen = threading.Semaphore(0)

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for number in range(3):
            connection.chunk(b"chunk %d" % number)
            assert seen.acquire(timeout=20)
        connection.end()

    upstream.answer = answer
    pieces = []
    with client.stream("GET", upstream.url) as response:
        for piece in response.iter_raw():
            pieces.append(piece)
            seen.release()
    assert pieces == [b"chunk 0", b"chunk 1", b"chunk 2"]


def test_a_part_of_a_chunk_is_handed_out_too(upstream: UpstreamServer, client: httpx.Client) -> None:
    seen = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.send(b"a\r\nfirst")
        assert seen.wait(20)
        connection.send(b"other\r\n0\r\n\r\n")

    upstream.answer = answer
    with client.stream("GET", upstream.url) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"first"
        seen.set()
        assert list(pieces) == [b"other"]


def test_a_request_body_from_an_iterator_is_sent_whole(upstream: UpstreamServer, client: httpx.Client) -> None:
    client.post(upstream.url, content=iter([b"a", b"b"]))
    assert upstream.last.body == b"ab"
    assert upstream.last.header("transfer-encoding") is None


def test_connections_are_kept(upstream: UpstreamServer, client: httpx.Client) -> None:
    for _ in range(5):
        assert client.get(upstream.url).json() == SAID
    with serve() as other:
        client.get(other.url)
        client.get(upstream.url)
        client.get(other.url)
        assert other.connections == 1
    assert upstream.connections == 1


def test_an_answer_that_was_not_read_whole_gives_its_connection_up(upstream: UpstreamServer, client: httpx.Client) -> None:
    closed = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"one")
        assert connection.wait_until_peer_closes()
        closed.set()

    upstream.answers.append(answer)
    with client.stream("GET", upstream.url) as response:
        assert next(response.iter_raw()) == b"one"
    assert closed.wait(20)
    assert client.get(upstream.url).status_code == 200
    assert upstream.connections == 2


def test_two_answers_at_once_have_a_connection_each(upstream: UpstreamServer, client: httpx.Client) -> None:
    with client.stream("GET", upstream.url) as first, client.stream("GET", upstream.url) as second:
        assert first.read() == second.read()
    client.get(upstream.url)
    assert upstream.connections == 2


def test_connection_close_is_obeyed(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_bytes(b"x", headers=[("connection", "close")])
    client.get(upstream.url)
    client.get(upstream.url)
    assert upstream.connections == 2


def test_a_closed_transport_can_be_used_again(
    upstream: UpstreamServer, client: httpx.Client, transport: HttpClientTransport
) -> None:
    client.get(upstream.url)
    transport.close()
    client.get(upstream.url)
    assert upstream.connections == 2


class Meanwhile(dict[Origin, ClientConnection]):
    """Idle connections, of which another thread gives one back just when one was taken out."""

    then: Callable[[], None] | None = None

    def pop(self, *arguments: Any) -> Any:
        found = super().pop(*arguments)
        then, self.then = self.then, None
        if then is not None:
            then()
        return found


def test_connections_given_back_at_once_are_closed_but_for_one(
    upstream: UpstreamServer, transport: HttpClientTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ClientConnection] = []

    class Recorded(ClientConnection):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr("lambda_runtime.transport.Connection", Recorded)
    transport._idle = idle = Meanwhile()
    answers = [
        cast("httpx.SyncByteStream", transport.handle_request(httpx.Request("GET", upstream.url)).stream) for _ in range(3)
    ]
    for answer in answers:
        list(answer)
    answers[0].close()
    idle.then = answers[1].close
    answers[2].close()
    assert len(made) == 3
    assert [each for each in made if each._socket.fileno() >= 0] == list(idle.values()) == [made[2]]


def test_sockets_are_kept_alive_and_never_wait_for_more(
    upstream: UpstreamServer, client: httpx.Client, transport: HttpClientTransport
) -> None:
    client.get(upstream.url)
    (connection,) = transport._idle.values()
    assert connection._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert connection._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def closing_when_idle(_received: Received, connection: Connection) -> None:
    answer_bytes(b"x")(_received, connection)
    connection.cut()


def wait_for_the_end(transport: HttpClientTransport) -> None:
    """Wait until the server's end of the idle connection has arrived here."""
    (connection,) = transport._idle.values()
    assert select.select([connection._socket], [], [], 20)[0]


def test_a_connection_that_was_closed_while_idle_is_not_used(
    upstream: UpstreamServer, client: httpx.Client, transport: HttpClientTransport
) -> None:
    upstream.answers.append(closing_when_idle)
    client.get(upstream.url)
    wait_for_the_end(transport)
    assert client.post(upstream.url).status_code == 200
    assert len(upstream.received) == 2


@pytest.mark.parametrize("size", [2, 3_000_000])
def test_a_close_that_crosses_with_a_request_is_not_seen(
    upstream: UpstreamServer,
    client: httpx.Client,
    transport: HttpClientTransport,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    # The server's end is here already, but the transport looks a moment too early to see it.
    monkeypatch.setattr(ClientConnection, "readable", lambda _self: False)
    upstream.answers.append(closing_when_idle)
    client.get(upstream.url)
    wait_for_the_end(transport)
    assert client.post(upstream.url, content=b"x" * size).status_code == 200
    assert len(upstream.received) == 2
    assert upstream.connections == 2


@pytest.mark.parametrize("reset", [False, True])
def test_a_request_that_was_taken_is_not_sent_twice(upstream: UpstreamServer, client: httpx.Client, reset: bool) -> None:
    client.get(upstream.url)
    upstream.answers.append(lambda _received, connection: connection.cut(reset=reset))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post(upstream.url, content=b"paid for")
    assert [received.method for received in upstream.received] == ["GET", "POST"]


def test_a_request_that_was_taken_is_sent_twice_if_that_changes_nothing(upstream: UpstreamServer, client: httpx.Client) -> None:
    client.get(upstream.url)
    upstream.answers.append(lambda _received, connection: connection.cut())
    assert client.get(upstream.url).status_code == 200
    assert len(upstream.received) == 3


def test_a_new_connection_that_closes_is_not_tried_again(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answers.append(lambda _received, connection: connection.cut())
    with pytest.raises(httpx.RemoteProtocolError, match="closed the connection"):
        client.get(upstream.url)
    assert len(upstream.received) == 1


def test_reading_ends_at_the_deadline_however_much_arrives(upstream: UpstreamServer, client: httpx.Client) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        while not connection.wait_until_peer_closes(0.005):
            connection.chunk(b".")

    upstream.answer = answer
    budget = ReadBudget(timeout=10, deadline=time.monotonic() + 0.2)
    with (
        client.stream("GET", upstream.url, extensions={"read_budget": budget}) as response,
        pytest.raises(httpx.ReadTimeout, match=r"time for reading is over|timed out"),
    ):
        response.read()
    assert time.monotonic() - (budget.deadline or 0) < 5


def test_the_limit_may_change_while_reading(upstream: UpstreamServer, client: httpx.Client) -> None:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"first")
        connection.wait_until_peer_closes()

    upstream.answer = answer
    budget = ReadBudget(timeout=20)
    with client.stream("GET", upstream.url, extensions={"read_budget": budget}) as response:
        pieces = response.iter_raw()
        assert next(pieces) == b"first"
        budget.timeout = 0.05
        with pytest.raises(httpx.ReadTimeout):
            next(pieces)


def test_httpx_read_timeout_is_obeyed(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_with_silence
    with pytest.raises(httpx.ReadTimeout):
        client.get(upstream.url, timeout=0.05)


def test_a_line_break_in_a_header_is_refused(upstream: UpstreamServer, client: httpx.Client) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        client.get(upstream.url, headers={"x": "a\r\nevil: 1"})
    assert not upstream.received


def test_other_schemes_are_refused(client: httpx.Client) -> None:
    with pytest.raises(httpx.UnsupportedProtocol):
        client.get("ftp://127.0.0.1/")
