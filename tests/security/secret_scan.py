"""Looks for known secrets in whatever was written, in every form in which they may have got there, and for keys by their looks.

A secret is found plain, in parts, encoded (base64 at any alignment, hexadecimal, percent, JSON, UTF-16) and broken up by what
programs and people put between the pieces of a text. Archives are looked into.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PART = 12
"""Characters in a row by which a part of a secret is told from chance, and from which the rest can be looked for."""

_BETWEEN = re.compile(rb"[\s\"'+\\,|>\x00-]+|\\[nrt]")
"""What stands between the pieces of a text that was broken up: lines, quotation marks, the signs that join them."""

_MADE_UP = re.compile(rb"1234567890|EXAMPLE")
"""What no random text has, and keys of documents and tests do."""

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b")

LOOKS: Mapping[str, re.Pattern[bytes]] = {
    "a key of OpenAI's": re.compile(rb"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|\bsk-[A-Za-z0-9]{40,}"),
    "a key of Anthropic's": re.compile(rb"\bsk-ant-[a-z]{3,5}\d\d-[A-Za-z0-9_-]{40,}"),
    "an access key of AWS's": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a key of Google's": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token of GitHub's": re.compile(rb"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{60,}"),
    "a token of Slack's": re.compile(rb"\bxox[abeoprs]-[0-9A-Za-z-]{20,}"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{20}"),
    "a signed token": re.compile(rb"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{20,}"),
}
"""Secrets that nobody has told us of."""


@dataclass(frozen=True)
class Leak:
    """Where a secret was found. Its value is not said again.

    Args:
        where: what was looked at.
        secret: the secret's name.
        form: how it stands there.
    """

    where: str
    secret: str
    form: str


class SecretScan:
    """Looks for secrets.

    Args:
        secrets: their values by name, ASCII, each of at least `PART` characters.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        if any(len(value) < PART for value in secrets.values()):
            raise ValueError(f"a secret of less than {PART} characters would be found everywhere")
        self._needles = [(name, form, needle) for name, value in secrets.items() for form, needle in _needles(value)]
        self._whole = [(name, value.encode()) for name, value in secrets.items()]

    def leaks(self, where: str, data: bytes | str) -> list[Leak]:
        """What is found in data, archives included; each secret and form once."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        found = {Leak(where, name, form) for name, form, needle in self._needles if needle in data}
        joined = _BETWEEN.sub(b"", data)
        found |= {Leak(where, name, "broken up") for name, value in self._whole if _BETWEEN.sub(b"", value) in joined}
        for member, content in _members(data):
            found |= set(self.leaks(f"{where}!{member}", content))
        return sorted(found, key=str)

    def leaks_below(self, *places: Path) -> list[Leak]:
        """What is found in files, in the names of them, and in all files below directories."""
        return [
            leak
            for place in places
            for path in ([place] if place.is_file() else sorted(place.rglob("*")))
            if path.is_file()
            for leak in self.leaks(str(path), str(path).encode() + b"\n" + path.read_bytes())
        ]


def by_their_looks(where: str, data: bytes) -> list[Leak]:
    """Real secrets in data, archives included, by the forms that their makers give them."""
    found = [
        Leak(where, what, "plain")
        for what, pattern in LOOKS.items()
        if any(not _MADE_UP.search(match[0]) for match in pattern.finditer(data))
    ]
    return found + [leak for member, content in _members(data) for leak in by_their_looks(f"{where}!{member}", content)]


def _needles(value: str) -> Iterator[tuple[str, bytes]]:
    plain = value.encode("ascii")
    for at in range(len(value) - PART + 1):
        yield "in part", plain[at : at + PART]
    for coded in _base64(plain):
        yield "base64", coded
        yield "base64", coded.replace(b"+", b"-").replace(b"/", b"_")
    yield "hexadecimal", plain.hex().encode()
    yield "hexadecimal", plain.hex().upper().encode()
    yield "percent", quote(value, safe="").encode()
    yield "percent", "".join(f"%{byte:02X}" for byte in plain).encode()
    yield "percent", "".join(f"%{byte:02x}" for byte in plain).encode()
    yield "JSON", "".join(f"\\u{byte:04x}" for byte in plain).encode()
    yield "JSON", value.replace("/", "\\/").encode()
    yield "UTF-16", value.encode("utf-16-le")
    yield "backwards", plain[::-1]


def _base64(plain: bytes) -> Iterator[bytes]:
    """What of the encoded text does not depend on what stands before and after the secret, for each of three alignments."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + plain)
        first = -(-before * 8 // 6)
        last = (before + len(plain)) * 8 // 6
        yield coded[first:last]


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    if not data.startswith(_ARCHIVES):
        return
    if data.startswith(b"\x1f\x8b"):
        try:
            yield "gzip", gzip.decompress(data)
        except (OSError, EOFError):
            return
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name, name.encode()
                yield name, archive.read(name)
