"""Every way in which a connection can fail, and the httpx exception that it becomes."""

import errno
import socket
import threading
from collections.abc import Callable

import httpx
import pytest

from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer

Fault = Callable[[Received, Connection], None]


def saying(data: bytes, *, reset: bool = False) -> Fault:
    def fault(_received: Received, connection: Connection) -> None:
        connection.send(data)
        connection.cut(reset=reset)

    return fault


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (saying(b""), httpx.RemoteProtocolError),
        (saying(b"", reset=True), httpx.ReadError),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-le"), httpx.RemoteProtocolError),
        (saying(b"220 mail ready\r\n\r\n"), httpx.RemoteProtocolError),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"), httpx.RemoteProtocolError),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"), httpx.RemoteProtocolError),
        (saying(CHUNKED), httpx.RemoteProtocolError),
        (saying(CHUNKED + b"5\r\nshort\r\n"), httpx.RemoteProtocolError),
        (saying(CHUNKED + b"5\r\nsho"), httpx.RemoteProtocolError),
        (saying(CHUNKED + b"5\r\nshort\r\n0\r\n"), httpx.RemoteProtocolError),
        (saying(CHUNKED + b"five\r\nshort\r\n0\r\n\r\n"), httpx.RemoteProtocolError),
    ],
)
def test_what_is_cut_short_or_malformed_raises(
    upstream: UpstreamServer,
    client: httpx.Client,
    fault: Fault,
    expected: type[Exception],
) -> None:
    upstream.answer = fault
    with pytest.raises(expected) as caught:
        client.post(upstream.url, content=b"{}")
    assert isinstance(caught.value, httpx.TransportError)
    assert caught.value.request.url == upstream.url


def test_what_came_before_the_break_is_handed_out(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = saying(CHUNKED + b"5\r\nfirst\r\n")
    pieces = []
    with client.stream("GET", upstream.url) as response, pytest.raises(httpx.RemoteProtocolError):
        pieces.extend(response.iter_raw())
    # `extend` keeps what an iterator gave before it raised.
    assert pieces == [b"first"]


def test_a_reset_in_the_body(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = saying(CHUNKED + b"5\r\nfirst\r\n", reset=True)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get(upstream.url)


def test_a_refused_connection(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(httpx.ConnectError, match=f"127.0.0.1:{port}"):
        client.get(f"http://127.0.0.1:{port}")


def test_an_unknown_host(client: httpx.Client) -> None:
    with pytest.raises(httpx.ConnectError, match=r"no-such-host\.invalid"):
        client.get("http://no-such-host.invalid")


def test_a_connection_that_takes_too_long(client: httpx.Client) -> None:
    # A listener whose queue is full leaves further connections hanging.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            assert sock.connect_ex(address) in {0, errno.EINPROGRESS}
        try:
            with pytest.raises(httpx.ConnectTimeout, match=r"within 0\.1 s"):
                client.get(f"http://127.0.0.1:{address[1]}", timeout=httpx.Timeout(5, connect=0.1))
        finally:
            for sock in waiting:
                sock.close()


def test_a_request_that_is_not_taken_in_time(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(httpx.WriteTimeout):
        # Nobody reads: the buffers of both ends fill up.
        client.post(
            f"http://127.0.0.1:{listener.getsockname()[1]}", content=b"x" * 20_000_000, timeout=httpx.Timeout(5, write=0.1)
        )


def test_an_answer_before_the_request_was_sent_whole_counts(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        response = client.post(f"http://127.0.0.1:{listener.getsockname()[1]}", content=b"x" * 5_000_000)
        thread.join()
    assert response.status_code == 413
