"""Why a rotation does not go on."""

from __future__ import annotations


class RotationError(Exception):
    """A rotation cannot go on. Says what to do; never names a key. The current key stays what it is."""


class KeyRefusedError(RotationError):
    """The upstream does not take the key."""


class UpstreamSilentError(RotationError):
    """The upstream cannot tell at the moment."""
