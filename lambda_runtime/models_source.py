"""What one upstream lists as its models."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import httpx

from lambda_runtime.config import AuthStyle, Endpoint, Timeouts, UpstreamConfig, WireFormat
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import CredentialError, UpstreamError
from lambda_runtime.invocation import Invocation
from lambda_runtime.key_refusal import auth_headers
from lambda_runtime.models_shape import Model
from lambda_runtime.patience import NOBODY, Patience
from lambda_runtime.upstream_call import UpstreamCall, url_of

_LIMIT = 10.0
_MAX_BYTES = 4 * 1024 * 1024
_MAX_PAGES = 5
_PAGE = 1000
_OK = 200
_REFUSED = frozenset({401, 403})
_ANTHROPIC_VERSION = "2023-06-01"


class ModelsSource:
    """Asks upstreams for their models.

    Args:
        transport: sends requests.
        credentials: the upstreams' keys.
        timeouts: how long to wait; listings are not generated, so that 10 s are enough for each.
    """

    def __init__(self, transport: httpx.BaseTransport, credentials: Credentials, timeouts: Timeouts) -> None:
        self._transport = transport
        self._credentials = credentials
        self._timeouts = timeouts

    def fetch(self, upstream: UpstreamConfig, invocation: Invocation) -> list[Model]:
        """What an upstream lists, in its order. One endpoint is asked, the OpenAI format's if there is one.

        Raises:
            UpstreamError: if there is no such list.
            DeadlineError: if our own time is up.
        """
        endpoint = next((e for e in upstream.endpoints if e.wire_format is WireFormat.OPENAI), upstream.endpoints[0])
        if endpoint.wire_format is WireFormat.OPENAI:
            return _models(self._get(upstream, endpoint, "", invocation))
        models: list[Model] = []
        query = f"limit={_PAGE}"
        for _ in range(_MAX_PAGES):
            page = self._get(upstream, endpoint, query, invocation)
            models += _models(page)
            last = page.get("last_id")
            if not page.get("has_more") or not isinstance(last, str):
                break
            query = f"limit={_PAGE}&after_id={quote(last, safe='')}"
        return models

    def _get(self, upstream: UpstreamConfig, endpoint: Endpoint, query: str, invocation: Invocation) -> dict[str, Any]:
        keyed = endpoint.auth is not AuthStyle.NONE
        key = self._credentials.key(upstream) if keyed else ""
        status, body = self._read(endpoint, query, key, invocation)
        if status in _REFUSED and keyed and self._credentials.refresh(upstream, key, status):
            status, body = self._read(endpoint, query, self._credentials.key(upstream), invocation)
        if status in _REFUSED:
            raise CredentialError("the upstream refuses to list its models to the gateway's key")
        if status != _OK:
            raise UpstreamError(f"the upstream answered with status {status} when asked for its models")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamError("the upstream's list of models is not JSON") from error
        if not isinstance(document, dict):
            raise UpstreamError("the upstream's list of models is not an object")
        return document

    def _read(self, endpoint: Endpoint, query: str, key: str, invocation: Invocation) -> tuple[int, bytes]:
        patience = Patience(self._timeouts, time.time() + invocation.remaining(), _LIMIT, NOBODY)
        headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity"), *auth_headers(endpoint.auth, key)]
        if endpoint.wire_format is WireFormat.ANTHROPIC:
            headers.append((b"anthropic-version", _ANTHROPIC_VERSION.encode()))
        request = httpx.Request("GET", url_of(endpoint.models_url, query), headers=headers, extensions=patience.extensions())
        call = UpstreamCall(self._transport, request, patience)
        try:
            body = call.read_up_to(_MAX_BYTES)
            if len(body) >= _MAX_BYTES:
                raise UpstreamError(f"the upstream's list of models is longer than {_MAX_BYTES:,} bytes")
            return call.status, body
        finally:
            call.close()


def _models(document: dict[str, Any]) -> list[Model]:
    data = document.get("data")
    if not isinstance(data, list):
        raise UpstreamError("the upstream's list of models has no list 'data'")
    return [model for model in data if isinstance(model, dict) and isinstance(model.get("id"), str) and model["id"]]
