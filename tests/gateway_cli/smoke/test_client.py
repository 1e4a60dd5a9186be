"""Where a request fails is told apart."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_cli.smoke import client
from gateway_cli.smoke.client import Phase, UnreachableError, requested
from tests.lambda_runtime.tls_kit import make_authority, tls_server
from tests.lambda_runtime.upstream_server import (
    JSON,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_with_silence,
    serve,
)


@pytest.fixture
def server() -> Iterator[UpstreamServer]:
    with serve() as found:
        yield found


def body_of(url: str, timeout: float = 5.0) -> bytes:
    with requested("GET", url, headers={"X-Test": "1"}, timeout=timeout) as reply:
        assert reply.seconds >= 0
        return reply.body()


def failure(url: str, timeout: float = 5.0) -> tuple[Phase, str]:
    with pytest.raises(UnreachableError) as caught:
        body_of(url, timeout)
    return caught.value.phase, str(caught.value)


def test_an_answer(server: UpstreamServer) -> None:
    server.answer = answer_bytes(b"well")
    assert body_of(f"{server.url}/v1/models?limit=1") == b"well"
    assert (server.last.target, server.last.header("host")) == ("/v1/models?limit=1", f"127.0.0.1:{server.port}")
    assert body_of(server.url) == b"well"
    assert server.last.target == "/"


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert failure("https://nobody.invalid/v1") == (
        Phase.NAME,
        "DNS: nobody.invalid has no address (Name or service not known)",
    )


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    phase, said = failure(f"http://127.0.0.1:{port}/")
    assert (phase, f"127.0.0.1:{port} cannot be connected to" in said) == (Phase.CONNECTION, True)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem, authorities = make_authority(tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with tls_server(pem) as (port, _):
        phase, said = failure(f"https://127.0.0.1:{port}/")
        assert (phase, "no secure connection to 127.0.0.1 (self-signed certificate)" in said) == (Phase.CERTIFICATE, True)
        monkeypatch.setenv("SSL_CERT_DIR", str(authorities))
        assert body_of(f"https://127.0.0.1:{port}/") == b"hello"


def test_a_listener_that_knows_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with listener.accept()[0] as sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        phase, _ = failure(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert phase is Phase.CERTIFICATE


def test_a_listener_that_never_speaks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert failure(f"https://127.0.0.1:{port}/", 0.2)[0] is Phase.CERTIFICATE
        assert failure(f"http://127.0.0.1:{port}/", 0.2) == (Phase.ANSWER, "HTTP: nothing came for 0.2 s")


def test_silence(server: UpstreamServer) -> None:
    server.answer = answer_with_silence
    assert failure(server.url, 0.2) == (Phase.ANSWER, "HTTP: nothing came for 0.2 s")


def test_silence_in_the_middle(server: UpstreamServer) -> None:
    def answer(_: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"half")
        connection.wait_until_peer_closes()

    server.answer = answer
    assert failure(server.url, 0.2) == (Phase.ANSWER, "HTTP: nothing came for 0.2 s")


@pytest.mark.parametrize("chunked", [True, False])
def test_an_answer_that_is_cut_short(server: UpstreamServer, chunked: bool) -> None:
    def answer(_: Received, connection: Connection) -> None:
        connection.start(200, [JSON] if chunked else [JSON, ("content-length", "100")], chunked=chunked)
        if chunked:
            connection.chunk(b"half")
        else:
            connection.send(b"half")
        connection.cut()

    server.answer = answer
    assert failure(server.url) == (Phase.ANSWER, "HTTP: the answer was cut short")


def test_a_connection_that_is_reset(server: UpstreamServer) -> None:
    def answer(_: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"half")
        connection.cut(reset=True)

    server.answer = answer
    assert failure(server.url)[0] is Phase.ANSWER


def test_no_http(server: UpstreamServer) -> None:
    def answer(_: Received, connection: Connection) -> None:
        connection.send(b"220 mail.example ESMTP\r\n")
        connection.cut()

    server.answer = answer
    phase, said = failure(server.url)
    assert (phase, "no HTTP answer (BadStatusLine" in said) == (Phase.ANSWER, True)


def test_an_answer_without_an_end(server: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LONGEST", 0.0)
    assert failure(server.url) == (Phase.ANSWER, "HTTP: the answer has not ended after 0 s")


def test_a_body_that_nobody_needs_whole(server: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MAX_BODY", 10)
    server.answer = answer_bytes(b"x" * 1_000_000)
    assert 10 < len(body_of(server.url)) < 1_000_000


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_users_proxy(server: UpstreamServer, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{server.port}")
    monkeypatch.setenv("https_proxy", f"{scheme}127.0.0.1:{server.port}")
    server.answer = answer_bytes(b"by proxy")
    assert body_of("http://provider.invalid/v1") == b"by proxy"
    assert (server.last.target, server.last.header("host")) == ("http://provider.invalid/v1", "provider.invalid")
    # For https it is asked for a tunnel, and this one has none.
    server.answer = answer_bytes(b"no", 403)
    phase, said = failure("https://provider.invalid/v1")
    assert (phase, "the proxy 127.0.0.1:" in said) == (Phase.CONNECTION, True)
    assert server.last.head.startswith(b"CONNECT provider.invalid:443")
    # None leads to this machine.
    received = len(server.received)
    with serve() as direct:
        direct.answer = answer_bytes(b"direct")
        assert body_of(direct.url) == b"direct"
    assert len(server.received) == received
