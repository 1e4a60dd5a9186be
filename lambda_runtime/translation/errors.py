"""Errors of translation, and the translation of errors."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lambda_runtime.config import WireFormat
from lambda_runtime.errors import RequestError

MESSAGE_LENGTH = 4000
"""Longest message of an upstream's that is passed on, in characters."""

TEXT_LENGTH = 300
"""Longest body that is not JSON and is passed on as a message, in characters."""

CONTEXT_EXCEEDED = "context_length_exceeded"
"""OpenAI's code for a request that is longer than the model's context."""

TOO_LONG = "prompt is too long"
"""By these words Anthropic's clients know the same."""

_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OPENAI_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    429: "rate_limit_error",
    504: "timeout_error",
}


class UntranslatableError(RequestError):
    """The request holds something that the other format cannot say, and without which the answer would be another in kind.

    Args:
        param: name of the field.
        what: what cannot be done, as a sentence without its full stop.
        way_out: what to do instead, likewise.
    """

    default_code = "untranslatable"

    def __init__(self, param: str, what: str, way_out: str) -> None:
        super().__init__(f"{what}. {way_out}, or ask for a model that is served in this request's own format.", param=param)


class _Told(NamedTuple):
    """What an error body says."""

    message: str
    kind: str | None = None
    code: str | None = None
    param: str | None = None


def translate_error(status: int, body: bytes, *, to: WireFormat, request_id: str) -> bytes:
    """An upstream's error body in the client's format. The status stays what it is.

    Args:
        status: the upstream's status.
        body: what it answered: an error of either format, another relay's, or no JSON at all.
        to: the client's format.
        request_id: id to quote to the operator.
    """
    told = _read(status, body)
    too_long = told.code == CONTEXT_EXCEEDED or TOO_LONG in told.message.lower()
    document: dict[str, Any]
    if to is WireFormat.ANTHROPIC:
        kind = _ANTHROPIC_TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004
        message = told.message
        if too_long and TOO_LONG not in message.lower():
            message = f"{TOO_LONG}: {message}"
        document = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    else:
        kind = _OPENAI_TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004
        code = CONTEXT_EXCEEDED if too_long else told.code or told.kind
        document = {"error": {"message": told.message, "type": kind, "param": told.param, "code": code}}
    return json.dumps(document, separators=(",", ":")).encode()


def _read(status: int, body: bytes) -> _Told:
    """What an error body says, in whatever shape."""
    silent = f"the upstream answered with status {status}"
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        text = body[: 4 * TEXT_LENGTH].decode("utf-8", "replace").strip()
        return _Told(text if text and len(text) <= TEXT_LENGTH and "<" not in text else silent)
    if isinstance(document, list) and document:  # Google's way
        document = document[0]
    if not isinstance(document, dict):
        return _Told(silent)
    error = document.get("error")
    if isinstance(error, dict):
        document = error
    elif isinstance(error, str):
        document = {**document, "message": document.get("message") or error}
    message = _text(document.get("message")) or _text(document.get("detail")) or silent
    kind, code = _text(document.get("type")), _text(document.get("code"))
    return _Told(message[:MESSAGE_LENGTH], None if kind == "error" else kind, code, _text(document.get("param")))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
