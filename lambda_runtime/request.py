"""A request's body and query string, out of API Gateway's event."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lambda_runtime.errors import BodyTooLargeError, RequestError

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Lambda takes no larger payload, so that a larger body never gets here on AWS. The check keeps other fronts from differing."""


def body_text(event: Mapping[str, Any]) -> str:
    """The body as text.

    Raises:
        RequestError: if it is missing or is not UTF-8.
        BodyTooLargeError: if it is larger than `MAX_BODY_BYTES`.
    """
    body = event.get("body")
    if not body:
        raise RequestError("the request has no body; send a JSON object", code="missing_body")
    if event.get("isBase64Encoded"):
        if len(body) // 4 * 3 > MAX_BODY_BYTES + 2:
            raise _too_large()
        try:
            body = binascii.a2b_base64(body, strict_mode=True).decode()
        except ValueError:  # of either step
            raise RequestError("the body is not UTF-8 text; send JSON as it is, neither compressed nor encoded") from None
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return str(body)


def body_bytes(text: str) -> bytes:
    """The text as it goes over the wire.

    Raises:
        RequestError: if it holds half a surrogate pair, which no UTF-8 can express.
        BodyTooLargeError: if it is larger than `MAX_BODY_BYTES`.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"the body is not UTF-8 text at character {error.start}", code="invalid_json") from None
    if len(data) > MAX_BODY_BYTES:
        raise _too_large()
    return data


def query_string(event: Mapping[str, Any]) -> str:
    """The query string with its values in their order; API Gateway hands them over decoded. Empty if there is none."""
    several: Mapping[str, Any] | None = event.get("multiValueQueryStringParameters")
    if several:
        return "&".join(_parameter(name, value) for name, values in several.items() for value in values or ())
    single: Mapping[str, Any] | None = event.get("queryStringParameters")
    if single:
        return "&".join(_parameter(name, value) for name, value in single.items())
    return ""


def _parameter(name: str, value: str | None) -> str:
    # `replace`: half a surrogate pair, which no client can have sent, becomes a question mark.
    return f"{quote(name, safe='', errors='replace')}={quote(value or '', safe='', errors='replace')}"


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"the body is larger than {MAX_BODY_BYTES:,} bytes, which is what AWS Lambda takes")
