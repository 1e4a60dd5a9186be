"""The key in a secret's value."""

from __future__ import annotations

from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.secret_value import SecretProblem, key_from_secret


def key_in(value: str | None, field: str) -> str | None:
    """The key in a value. None: there is no value, or no key in it, as in a placeholder."""
    if value is None:
        return None
    try:
        return key_from_secret(value, "", field)
    except SecretProblem:
        return None


def require_key(value: str | None, field: str, otherwise: str) -> str:
    """The key in a value.

    Args:
        value: of a secret. None: there is none.
        field: of the JSON object that holds the key.
        otherwise: the error's text.

    Raises:
        RotationError: if there is none.
    """
    key = key_in(value, field)
    if key is None:
        raise RotationError(otherwise)
    return key
