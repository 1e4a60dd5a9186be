"""The CA directory is right when OpenSSL finds a CA in it by name, and only then."""

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from function_build.ca_directory import subject_hash, write_ca_directory

NAMES = {
    "plain": [(NameOID.COMMON_NAME, "Test Root")],
    "white space and case": [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "  Some   ROOT\tOrg ")],
    "not ASCII": [(NameOID.ORGANIZATION_NAME, "NetLock Kft. FŐTANÚSÍTVÁNY"), (NameOID.COMMON_NAME, "ÄÖÜ")],
    "long": [
        (NameOID.ORGANIZATION_NAME, "x" * 64),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "y" * 60),
        (NameOID.COMMON_NAME, "z" * 40),
    ],
    "long arcs": [(NameOID.DOMAIN_COMPONENT, "example"), (NameOID.JURISDICTION_COUNTRY_NAME, "HU")],
}


_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@pytest.fixture(params=NAMES, ids=list(NAMES))
def authority(request: pytest.FixtureRequest) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in NAMES[request.param]])
    key = ec.generate_private_key(ec.SECP256R1())
    return _certificate(name, name, key, key, ca=True), key


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        # Python 3.13 verifies strictly: it wants to know whose key signed, and an authority that says it may.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ca:
        builder = builder.add_extension(_SIGNS_CERTIFICATES, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _handshake(server_files: tuple[Path, Path], capath: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*server_files)
    left, right = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(right, server_side=True) as connection:
                connection.recv(1)
        except OSError:
            right.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        context = ssl.create_default_context(capath=str(capath))
        with context.wrap_socket(left, server_hostname="localhost") as connection:
            connection.sendall(b"x")
    finally:
        left.close()
        thread.join()


def test_openssl_finds_a_written_authority_and_no_other(
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], tmp_path: Path
) -> None:
    certificate, signer = authority
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]), certificate.subject, key, signer, ca=False
    )
    files = tmp_path / "leaf.pem", tmp_path / "leaf.key"
    files[0].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    write_ca_directory(certificate.public_bytes(serialization.Encoding.PEM).decode(), tmp_path / "certs")
    (tmp_path / "none").mkdir()

    _handshake(files, tmp_path / "certs")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(files, tmp_path / "none")


def test_two_certificates_of_one_name_get_two_numbers(tmp_path: Path) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Renewed Root")])
    pems = []
    for _ in range(2):
        key = ec.generate_private_key(ec.SECP256R1())
        pems.append(_certificate(name, name, key, key, ca=True).public_bytes(serialization.Encoding.PEM).decode())

    write_ca_directory("\n".join(pems), tmp_path / "certs")

    expected = f"{subject_hash(name):08x}"
    assert sorted(path.name for path in (tmp_path / "certs").iterdir()) == [f"{expected}.0", f"{expected}.1"]
