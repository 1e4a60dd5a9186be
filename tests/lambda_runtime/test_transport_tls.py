"""The transport over TLS: which servers it trusts, and when an answer has ended."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from function_build.ca_directory import write_ca_directory
from lambda_runtime.transport import HttpClientTransport
from tests.lambda_runtime.tls_kit import ANSWER, certificate, tls_server


@contextmanager
def client(capath: Path | None = None) -> Iterator[httpx.Client]:
    with httpx.Client(transport=HttpClientTransport(capath=str(capath) if capath else None), trust_env=False) as http:
        yield http


@pytest.fixture(autouse=True)
def no_certificates_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "LAMBDA_TASK_ROOT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_known_authority_is_trusted(authority: tuple[Path, Path], host: str) -> None:
    pem, certs = authority
    with tls_server(pem) as (port, agreed), client(certs) as http:
        assert http.get(f"https://{host}:{port}").text == "hello"
        assert http.get(f"https://{host}:{port}").text == "hello"
    assert agreed == ["http/1.1"]


def test_the_task_roots_certificates_are_the_default(authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    pem, certs = authority
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(certs.parent))
    with tls_server(pem) as (port, _), client() as http:
        assert http.get(f"https://localhost:{port}").text == "hello"


def test_certificates_of_the_environment_go_first(
    authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pem, _ = authority
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with tls_server(pem) as (port, _), client(tmp_path) as http:
        assert http.get(f"https://localhost:{port}").text == "hello"


@pytest.mark.parametrize("capath", ["empty", None])
def test_an_unknown_authority_is_refused(authority: tuple[Path, Path], tmp_path: Path, capath: str | None) -> None:
    pem, _ = authority
    refused = pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED")
    with tls_server(pem) as (port, _), client(tmp_path if capath else None) as http, refused:
        http.get(f"https://localhost:{port}")


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    pem, key = certificate("other", [x509.DNSName("other.example")])
    Path(tmp_path, "server.pem").write_text(pem + key)
    write_ca_directory(pem, tmp_path / "certs")
    refused = pytest.raises(httpx.ConnectError, match="not valid for 'localhost'")
    with tls_server(tmp_path / "server.pem") as (port, _), client(tmp_path / "certs") as http, refused:
        http.get(f"https://localhost:{port}")


def test_a_server_that_does_not_speak_tls_is_refused(authority: tuple[Path, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        with client(authority[1]) as http, pytest.raises(httpx.ConnectError):
            http.get(f"https://localhost:{listener.getsockname()[1]}")
        thread.join()


@pytest.mark.parametrize("fair", [True, False])
def test_a_body_that_ends_with_its_connection_must_end_with_tls(authority: tuple[Path, Path], fair: bool) -> None:
    def talk(sock: ssl.SSLSocket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        if fair:
            sock.unwrap()
        else:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    pem, certs = authority
    with tls_server(pem, talk) as (port, _), client(certs) as http:
        if fair:
            # The server waits for our own end, which comes when the answer has been read.
            assert http.get(f"https://localhost:{port}").text == "hello"
        else:
            with pytest.raises(httpx.RemoteProtocolError, match="cut the TLS connection"):
                http.get(f"https://localhost:{port}")


def test_a_tls_connection_closed_while_idle_is_not_used(authority: tuple[Path, Path]) -> None:
    closed = threading.Event()

    def talk(sock: ssl.SSLSocket) -> None:
        sock.recv(65536)
        sock.sendall(ANSWER)
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
        closed.set()

    pem, certs = authority
    with tls_server(pem, talk) as (port, agreed), client(certs) as http:
        for _ in range(2):
            closed.clear()
            assert http.post(f"https://localhost:{port}").text == "hello"
            assert closed.wait(20)
    assert len(agreed) == 2
