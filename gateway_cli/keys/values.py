"""Values of keys: what clients send. Recognizable by programs that look for secrets in files.

API Gateway takes 20 to 128 letters and digits and nothing else, so there is no separator: `aigwk`, 32 random characters, and
six of a checksum, by which a scanner tells a key from a word that looks like one without asking anybody.
"""

from __future__ import annotations

import secrets
import string
import zlib

PREFIX = "aigwk"
"""AI gateway, key."""

PATTERN = rf"\b{PREFIX}[0-9A-Za-z]{{38}}\b"
"""What scanners look for."""

_RANDOM = 32
_CHECKSUM = 6
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def new_value() -> str:
    """A value that nobody can guess: 190 bits from the system's own source."""
    value = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return value + checksum(value)


def checksum(text: str) -> str:
    """The last six characters of a value: CRC-32 of what comes before them, in base 62 with the digits first."""
    number, found = zlib.crc32(text.encode("ascii")), ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        found = _ALPHABET[digit] + found
    return found.rjust(_CHECKSUM, _ALPHABET[0])
