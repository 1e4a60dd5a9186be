"""The key in a secret's value."""

from __future__ import annotations

from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.secret_value import key_in


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
