"""What a secret's value says: the key itself, or a JSON object that holds it."""

from __future__ import annotations

import json
import re
from typing import Any

from lambda_runtime.config import PLACEHOLDER_FIELD

_HEADER_SAFE = re.compile(r"[\x21\x23-\x7e]+").fullmatch
"""Visible ASCII; no double quote, which only a shell's or a JSON text's quoting leaves around a key."""


class SecretProblem(Exception):  # noqa: N818 - what it says is for the operator's log, and is never an answer
    """Why a key could not be had, and the command that mends it. Names the secret, never its value."""

    passes = False
    """Whether it passes by itself, so that it says nothing about the key."""


def put_command(secret_id: str) -> str:
    """The command that sets a secret's value."""
    return f"aws secretsmanager put-secret-value --secret-id {secret_id} --secret-string '<the key>'"


def key_from_secret(value: str, secret_id: str, field: str) -> str:
    """Read the upstream's key out of a secret's value.

    Args:
        value: the secret's value.
        secret_id: ARN or name of the secret, for messages.
        field: key of the JSON object that holds the key.

    Raises:
        SecretProblem: if the value is a placeholder, lacks the field, or is nothing that a header can carry.
    """
    text = value.strip()
    if text.startswith("{"):
        text = _from_object(text, secret_id, field)
    if not text:
        raise SecretProblem(f"the secret {secret_id} is empty; set the upstream's key: {put_command(secret_id)}")
    if not _HEADER_SAFE(text):
        raise SecretProblem(
            f"the secret {secret_id} holds characters that no API key has (spaces, line breaks, quotes or letters outside "
            f"ASCII); set the upstream's key alone: {put_command(secret_id)}"
        )
    return text


def key_in(value: str | None, field: str) -> str | None:
    """The key in a secret's value. None: there is no value, or no key in it, as in a placeholder."""
    if value is None:
        return None
    try:
        return key_from_secret(value, "", field)
    except SecretProblem:
        return None


def _from_object(text: str, secret_id: str, field: str) -> str:
    try:
        document: dict[str, Any] = json.loads(text)
    except ValueError:
        raise SecretProblem(
            f"the secret {secret_id} begins like a JSON object but is none; "
            f"set the upstream's key alone: {put_command(secret_id)}"
        ) from None
    if document.get(PLACEHOLDER_FIELD) is True:
        raise SecretProblem(
            f"the secret {secret_id} still holds the placeholder that the deployment put there; "
            f"set the upstream's key: {put_command(secret_id)}"
        )
    key = document.get(field)
    if not isinstance(key, str):
        # Its field names are not listed: a misplaced key may be one of them.
        raise SecretProblem(
            f"the secret {secret_id} is a JSON object without the text field {field!r}; set the upstream's key alone "
            f"({put_command(secret_id)}), or name its field with the upstream's secret_field"
        )
    return key.strip()
