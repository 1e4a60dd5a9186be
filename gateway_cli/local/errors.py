"""What stops the local gateway, in words for its user."""

from __future__ import annotations


class LocalGatewayError(Exception):
    """The local gateway cannot start or go on; the message says why and what to do."""
