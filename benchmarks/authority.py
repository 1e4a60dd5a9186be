"""Certificates as a provider shows them: its own, signed by an intermediate one, signed by a root that the client trusts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class _Signer(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_authority(directory: Path) -> tuple[Path, Path]:
    """Write the certificates, which are valid for an hour.

    Args:
        directory: where to.

    Returns:
        A file with the server's certificates and key, and one with the root.
    """
    root = _signed("benchmark root", None, is_authority=True)
    intermediate = _signed("benchmark intermediate", root, is_authority=True)
    server = _signed("localhost", intermediate, is_authority=False)
    private = server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown, trusted = directory / "server.pem", directory / "root.pem"
    shown.write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (server, intermediate)) + private)
    trusted.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    return shown, trusted


def _signed(name: str, by: _Signer | None, *, is_authority: bool) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signer = by.key if by else key
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _Signer(certificate, key)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
