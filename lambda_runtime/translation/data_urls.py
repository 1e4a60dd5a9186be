"""Data URLs, which hold what Anthropic keeps in two fields."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple


class Data(NamedTuple):
    """What a data URL holds.

    Args:
        media_type: its type, lower case, without parameters.
        encoded: base64.
    """

    media_type: str
    encoded: str

    def text(self) -> str | None:
        """The data as text, or None if it is none."""
        try:
            return base64.b64decode(self.encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            return None


def read_data_url(url: str) -> Data | None:
    """The data of a URL, or None if it is no data URL in base64."""
    head, comma, encoded = url.partition(",")
    scheme, _, kind = head.partition(":")
    parts = kind.split(";")
    if scheme.lower() != "data" or not comma or parts[-1].strip().lower() != "base64":
        return None
    media_type = parts[0].strip().lower()
    return Data("image/jpeg" if media_type == "image/jpg" else media_type, encoded)


def data_url(media_type: str, encoded: str) -> str:
    """A data URL of what is in base64 already."""
    return f"data:{media_type};base64,{encoded}"
