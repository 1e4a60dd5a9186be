"""Certificates of the tests' own, and servers that speak TLS with them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from function_build.ca_directory import write_ca_directory

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def certificate(name: str, hosts: list[x509.GeneralName]) -> tuple[str, str]:
    """A certificate that is its own CA, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return built.public_bytes(Encoding.PEM).decode(), private.decode()


def make_authority(directory: Path) -> tuple[Path, Path]:
    """A file with a server's certificate and key, and a hashed directory that trusts it."""
    hosts: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    pem, key = certificate("gateway test", hosts)
    Path(directory, "server.pem").write_text(pem + key)
    write_ca_directory(pem, directory / "certs")
    return directory / "server.pem", directory / "certs"


Talk = Callable[[ssl.SSLSocket], None]


def answer(sock: ssl.SSLSocket) -> None:
    while sock.recv(65536):
        sock.sendall(ANSWER)


@contextmanager
def tls_server(pem: Path, talk: Talk = answer) -> Iterator[tuple[int, list[str | None]]]:
    """Serves over TLS until the block ends: its port, and the protocols that clients agreed to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2", "http/1.1"])
    agreed: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    with suppress(OSError), context.wrap_socket(sock, server_side=True) as tls:
                        agreed.append(tls.selected_alpn_protocol())
                        talk(tls)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1], agreed
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@contextmanager
def halting_tls_server(pem: Path, pieces: list[bytes], wait: Callable[[], bool]) -> Iterator[int]:
    """Answers one request with pieces, each a TLS record of which the second half is sent when `wait` has returned.

    Yields:
        Its port.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    def run() -> None:
        with suppress(OSError), listener.accept()[0] as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received, sending = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(received, sending, server_side=True)
            _when_read(sock, received, sending, tls.do_handshake)
            _when_read(sock, received, sending, lambda: tls.read(65536))
            for piece in pieces:
                tls.write(piece)
                record = sending.read()
                sock.sendall(record[: len(record) // 2])
                if not wait():
                    return
                sock.sendall(record[len(record) // 2 :])
            while sock.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
    thread.join()


def _when_read(sock: socket.socket, received: ssl.MemoryBIO, sending: ssl.MemoryBIO, step: Callable[[], object]) -> None:
    """Do a step of TLS, with as much of the client's bytes as it takes."""
    while True:
        try:
            step()
        except ssl.SSLWantReadError:
            sock.sendall(sending.read())
            received.write(sock.recv(65536))
        else:
            sock.sendall(sending.read())
            return
