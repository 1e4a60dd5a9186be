"""The tokens of federated upstreams, for as long as the function instance lives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from lambda_runtime import log
from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.config import UpstreamConfig
from lambda_runtime.config.federation import Federation
from lambda_runtime.federation.exchange import Granted, exchange, mend
from lambda_runtime.federation.problem import TransientProblem
from lambda_runtime.federation.web_identity import WebIdentity
from lambda_runtime.secret_value import SecretProblem

EARLY = 60.0
"""Seconds before its end at which a token is exchanged anew; at most half of its lifetime."""

PAUSE = 10.0
"""Seconds for which a refusal stands, and after which a token that is still valid is tried to be renewed again."""

_ATTEMPTS = 2


class _Token(NamedTuple):
    value: str
    renew_at: float
    ends: float

    def __repr__(self) -> str:
        return f"_Token(ends={self.ends!r})"


class FederatedTokens:
    """Tokens that are exchanged when they are needed. A `lambda_runtime.credentials.TokenSource`.

    Times are `time.time()`: the monotonic clock stands still while Lambda has the instance frozen, and a token does not.

    Args:
        client: the HTTP client.
        environ: environment variables.
        aws_credentials: the function's own.
    """

    def __init__(self, client: httpx.Client, environ: Mapping[str, str], aws_credentials: AwsCredentialsSource) -> None:
        self._client = client
        self._web_identity = WebIdentity(client, environ, aws_credentials)
        self._tokens: dict[str, _Token] = {}
        self._refusals: dict[str, tuple[float, str]] = {}

    def forget(self) -> None:
        """Drop all tokens."""
        self._tokens.clear()
        self._refusals.clear()

    def held(self, upstream: UpstreamConfig) -> str | None:
        """The token that is held, whether it is still valid or not."""
        token = self._tokens.get(upstream.name)
        return token and token.value

    def token(self, upstream: UpstreamConfig) -> str:
        """A token that is valid now.

        Raises:
            SecretProblem: if there is none; says why, and what mends it.
        """
        now = time.time()
        held = self._tokens.get(upstream.name)
        if held is not None and now < held.renew_at:
            return held.value
        try:
            self._raise_standing_refusal(upstream, now)
            return self.exchanged(upstream)
        except SecretProblem as problem:
            now = time.time()  # a time-out may have passed
            if held is None or now >= held.ends:
                raise
            log.warning(f"the token is not renewed yet: {problem}", upstream=upstream.name)
            self._tokens[upstream.name] = held._replace(renew_at=min(now + PAUSE, held.ends))
            return held.value

    def exchanged(self, upstream: UpstreamConfig) -> str:
        """A new token, whatever is held.

        Raises:
            SecretProblem: if there is none; what is held stays.
        """
        now = time.time()
        try:
            granted = self._exchange(upstream)
        except TransientProblem:
            raise
        except SecretProblem as problem:
            # Not asked again at once: as often as clients call would flood the provider's log of authentications.
            self._refusals[upstream.name] = (now, str(problem))
            raise
        self._refusals.pop(upstream.name, None)
        early = min(EARLY, granted.lifetime / 2)
        self._tokens[upstream.name] = _Token(granted.token, now + granted.lifetime - early, now + granted.lifetime)
        return granted.token

    def mend(self, upstream: UpstreamConfig) -> str:
        """What to look at where the provider refuses a token of its own."""
        return mend(_federation(upstream))

    def _raise_standing_refusal(self, upstream: UpstreamConfig, now: float) -> None:
        refused_at, why = self._refusals.get(upstream.name, (0.0, ""))
        if why and 0 <= now - refused_at < PAUSE:
            raise SecretProblem(why)

    def _exchange(self, upstream: UpstreamConfig) -> Granted:
        federation = _federation(upstream)
        url = federation.exchange_url(upstream.endpoints[0].base_url)
        for attempt in range(1, _ATTEMPTS + 1):
            # A new one for each attempt: a provider that has seen the first one may take it for a replay.
            identity = self._web_identity.token(federation)
            try:
                return exchange(self._client, federation, url, identity)
            except TransientProblem as problem:
                if attempt == _ATTEMPTS or not problem.again:
                    raise
        raise AssertionError


def _federation(upstream: UpstreamConfig) -> Federation:
    if upstream.federation is None:
        raise ValueError(f"the upstream {upstream.name!r} is not federated")
    return upstream.federation
