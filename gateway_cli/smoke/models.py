"""Asks an upstream for its models, which shows whether it is there and takes the key, and costs nothing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway_cli.smoke.client import UnreachableError, requested
from gateway_cli.smoke.questions import error_text, headers_for
from lambda_runtime.config import Endpoint, UpstreamConfig, WireFormat

_OK = 200
_REFUSED = frozenset({401, 402, 403})
_NO_LIST = frozenset({404, 405, 501})
# Gemini's OpenAI-compatible endpoint refuses a key with a 400 and these words.
_REFUSED_400 = (b"API_KEY_INVALID", b"API key not valid", b"API key expired")
_BAD_REQUEST = 400
# A key of OpenAI's that may do other things than list models is known all the same.
_RESTRICTED = (b"issing scopes", b"nsufficient permissions")


class Verdict(StrEnum):
    """What an upstream's list of models says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_LIST = "no list"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What came of asking for models.

    Args:
        verdict: in a word.
        text: what was seen.
        seconds: how long it took.
        names: of the models. Default: none.
    """

    verdict: Verdict
    text: str
    seconds: float
    names: tuple[str, ...] = ()


def listing_endpoint(upstream: UpstreamConfig) -> Endpoint:
    """The endpoint that is asked for an upstream's models, as the gateway does: the OpenAI format's if there is one."""
    return next((e for e in upstream.endpoints if e.wire_format is WireFormat.OPENAI), upstream.endpoints[0])


def ask_models(endpoint: Endpoint, key: str, timeout: float) -> Listed:
    """Ask for the models.

    Args:
        endpoint: of the upstream.
        key: the upstream's; empty where it takes none.
        timeout: seconds to wait each time for something to come.
    """
    headers, began = headers_for(endpoint.wire_format, endpoint.auth, key), time.monotonic()
    try:
        with requested("GET", endpoint.models_url, headers=headers, timeout=timeout) as reply:
            verdict, text, names = _judged(reply.status, reply.body(), key)
    except UnreachableError as error:
        verdict, text, names = Verdict.UNREACHABLE, str(error), ()
    return Listed(verdict=verdict, text=text, seconds=time.monotonic() - began, names=names)


def _judged(status: int, body: bytes, key: str) -> tuple[Verdict, str, tuple[str, ...]]:
    if status == _OK:
        names = _names(body)
        return (
            (Verdict.NO_LIST, "status 200, but no list of models", ())
            if names is None
            else (Verdict.ACCEPTED, f"{'key accepted, ' if key else ''}{len(names)} models", names)
        )
    text = error_text(status, body, key)
    if status in _NO_LIST or (status in _REFUSED and any(words in body for words in _RESTRICTED)):
        return Verdict.NO_LIST, f"it lists no models ({text})", ()
    if status in _REFUSED or (status == _BAD_REQUEST and any(words in body for words in _REFUSED_400)):
        return Verdict.REFUSED, f"key refused: {text}", ()
    return Verdict.FAILED, text, ()


def _names(body: bytes) -> tuple[str, ...] | None:
    try:
        document: Any = json.loads(body)
    except ValueError:
        return None
    models = document.get("data") if isinstance(document, dict) else None
    if not isinstance(models, list):
        return None
    return tuple(str(model["id"]) for model in models if isinstance(model, dict) and model.get("id"))
