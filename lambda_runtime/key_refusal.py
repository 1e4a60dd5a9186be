"""Sending an upstream's key, and telling whether an upstream refuses it or something else."""

from __future__ import annotations

from lambda_runtime import log
from lambda_runtime.config import AuthStyle
from lambda_runtime.errors import CredentialError

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_BAD_REQUEST = 400

_MIN_SECRET = 8
"""Characters of the shortest key that is hidden in errors. Shorter ones are no secrets but the fillers that local servers are
given (`x`, `none`, `EMPTY`), and would be found in every other word of an error."""

_BETA = b"anthropic-beta"
_OAUTH_FLAG = b"oauth-2025-04-20"

# Gemini's OpenAI-compatible endpoint refuses a key with a 400 and these words.
_KEY_REFUSED_400 = (b"API_KEY_INVALID", b"API key not valid", b"API key expired")
_ABOUT_THE_KEY = (b"api key", b"api-key", b"api_key", b"apikey", b"authenticat", b"credential", b"access token")


def auth_headers(auth: AuthStyle, key: str) -> list[tuple[bytes, bytes]]:
    """The headers that carry a key."""
    if auth is AuthStyle.NONE:
        return []
    if auth is AuthStyle.ANTHROPIC_OAUTH:
        return [(b"authorization", f"Bearer {key}".encode()), (_BETA, _OAUTH_FLAG)]
    value = f"Bearer {key}" if auth is AuthStyle.BEARER else key
    return [(auth.value.encode(), value.encode())]


def with_key(headers: list[tuple[bytes, bytes]], auth: AuthStyle, key: str) -> list[tuple[bytes, bytes]]:
    """A request's headers with those that carry a key; the client's own flags in `anthropic-beta` stay."""
    if auth is AuthStyle.ANTHROPIC_OAUTH:
        flags = [flag.strip() for name, value in headers if name == _BETA for flag in value.split(b",")]
        bearer, _ = auth_headers(auth, key)
        merged = b",".join(dict.fromkeys(flag for flag in (*flags, _OAUTH_FLAG) if flag))
        return [*(header for header in headers if header[0] != _BETA), bearer, (_BETA, merged)]
    return headers + auth_headers(auth, key)


def refused(status: int, body: bytes) -> bool:
    """Whether an answer may be about the key that was sent."""
    return status in {_UNAUTHORIZED, _FORBIDDEN} or (
        status == _BAD_REQUEST and any(words in body for words in _KEY_REFUSED_400)
    )


def redacted(body: bytes, key: str) -> bytes:
    """An error's body without the key: an upstream that quotes the one it was sent must not hand it to the client."""
    return body.replace(key.encode(), b"[redacted]") if len(key) >= _MIN_SECRET else body


def mentions(value: str, key: str) -> bool:
    """Whether a header's value quotes the key."""
    return len(key) >= _MIN_SECRET and key in value


def raise_if_about_the_key(status: int, body: bytes, upstream: str, key: str, mend: str) -> None:
    """Log what to do about a refusal that stays, and let only one pass that is about the request.

    A 401 is never passed on: the client would take it for its own gateway key's, and providers quote a part of the key that
    they refuse. A 403 may be either: a key that lost its rights, or a model, a region or a content that this account may not
    use, about which only the provider's own words help the client. So it passes if it does not speak of the key.

    Args:
        status: of the refusal.
        body: its body.
        upstream: the upstream's name.
        key: the key that was sent; empty for none.
        mend: what mends it, if a key was sent.

    Raises:
        CredentialError: if the refusal is about the key.
    """
    advice = mend if key else "it is configured without a key (auth none); give it an auth style and a secret"
    if status == _FORBIDDEN and not _speaks_of_the_key(body, key):
        log.warning(
            f"the upstream {upstream!r} answered with status 403, also to a key fetched anew; if it is not about the model or "
            f"the request, {advice}",
            upstream=upstream,
        )
        return
    log.error(
        f"the upstream {upstream!r} refuses the gateway's key (status {status}), also when fetched again; {advice}",
        upstream=upstream,
    )
    raise CredentialError(
        f"the upstream {upstream!r} refuses the gateway's key; its operator finds what to do in the gateway's log"
    )


def _speaks_of_the_key(body: bytes, key: str) -> bool:
    fragments = (key[:6].encode(), key[-4:].encode()) if len(key) >= _MIN_SECRET else ()
    lowered = body.lower()
    return any(words in lowered for words in _ABOUT_THE_KEY) or any(fragment in body for fragment in fragments)
