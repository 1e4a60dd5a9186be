"""The upstreams' keys: fetched at start, kept, and fetched again when an upstream refuses one. Tokens in place of keys, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from lambda_runtime import log
from lambda_runtime.config import GatewayConfig, UpstreamConfig
from lambda_runtime.errors import CredentialError, UpstreamError
from lambda_runtime.secret_value import SecretProblem, key_from_secret, put_command

START_BUDGET = 2.0
"""Seconds after which no further fetch is begun at start: Lambda gives init 10 s, and each fetch may take up to 6 s to fail."""

REFRESH_PAUSE = 10.0
"""Seconds between two forced fetches of a key that stays refused with the same status: so that a revoked key does not call
Secrets Manager as often as clients call the gateway."""


class SecretSource(Protocol):
    """Where secrets' values come from."""

    def get(self, secret_id: str) -> str:
        """The current value of a secret.

        Raises:
            SecretProblem: if it cannot be had; says why, and what mends it.
        """


class TokenSource(Protocol):
    """Where the tokens of federated upstreams come from."""

    def held(self, upstream: UpstreamConfig) -> str | None:
        """The token that is held."""

    def token(self, upstream: UpstreamConfig) -> str:
        """A token that is valid now.

        Raises:
            SecretProblem: if there is none; says why, and what mends it.
        """

    def exchanged(self, upstream: UpstreamConfig) -> str:
        """A new token, whatever is held. Raises as `token`."""

    def mend(self, upstream: UpstreamConfig) -> str:
        """What to look at where the provider refuses a token of its own."""

    def forget(self) -> None:
        """Drop all tokens."""


def _no_tokens() -> TokenSource:
    raise LookupError("an upstream is federated, and there is no source of tokens")


class Credentials:
    """The keys of all upstreams, for as long as the function instance lives.

    The token of a federated upstream is not fetched at start, but by the first request that needs it.

    Args:
        config: the gateway's.
        environ: environment variables; `UpstreamConfig.secret_variable` names the one that holds a secret's ARN.
        secrets: where secrets come from.
        make_tokens: makes the source of tokens when it is needed. Default: there is none, and no upstream is federated.
    """

    def __init__(
        self,
        config: GatewayConfig,
        environ: Mapping[str, str],
        secrets: SecretSource,
        make_tokens: Callable[[], TokenSource] = _no_tokens,
    ) -> None:
        self._upstreams = config.upstreams
        self._environ = environ
        self._secrets = secrets
        self._make_tokens = make_tokens
        self._tokens: TokenSource | None = None
        self._keys: dict[str, str] = {}
        self._last_refresh: dict[tuple[str, int], float] = {}
        """By upstream and status: that a model is refused (403) must not keep a rotated key (401) from being fetched."""

    def secret_id(self, upstream: UpstreamConfig) -> str:
        """The ARN of an upstream's secret; empty if it has none."""
        return self._environ.get(upstream.secret_variable, "") if upstream.needs_key else ""

    def mend(self, upstream: UpstreamConfig) -> str:
        """What mends it where an upstream goes on refusing what it was sent."""
        if upstream.federation is not None:
            return self._federated().mend(upstream)
        return f"set a valid key: {put_command(self.secret_id(upstream))}"

    def fetch_all(self) -> None:
        """Fetch what is missing, at start. What fails is logged and tried again by the request that needs it."""
        began = time.monotonic()
        for upstream in self._upstreams:
            if time.monotonic() - began > START_BUDGET:
                log.warning("fetching the upstreams' keys takes too long; the rest are fetched by the requests that need them")
                return
            if upstream.name not in self._keys and self.secret_id(upstream):
                try:
                    self._fetch(upstream)
                except SecretProblem as problem:
                    self._log(upstream, problem)

    def forget(self) -> None:
        """Drop all keys: a snapshot of the process must hold none."""
        self._keys.clear()
        self._last_refresh.clear()
        if self._tokens is not None:
            self._tokens.forget()

    def key(self, upstream: UpstreamConfig) -> str:
        """The key of an upstream that needs one, or a token in its place.

        Raises:
            CredentialError: if there is none. The log says why.
            UpstreamError: if there is no token for now: nobody refuses one, but nobody gives one either. The log says why.
        """
        key = self._keys.get(upstream.name)
        if key is not None:
            return key
        if upstream.federation is not None:
            return self._token(upstream)
        if not self.secret_id(upstream):
            problem = SecretProblem(
                f"the upstream {upstream.name!r} takes a key, but {upstream.secret_variable} is not set; "
                "set it to the ARN of a secret, or deploy the gateway with the construct, which does so",
            )
            raise self._unusable(upstream, problem)
        try:
            return self._fetch(upstream)
        except SecretProblem as problem:
            raise self._unusable(upstream, problem) from None

    def refresh(self, upstream: UpstreamConfig, refused: str, status: int) -> bool:
        """Fetch a key again, or exchange a token anew, after an upstream refused it.

        Args:
            upstream: whose key.
            refused: the key that was refused.
            status: of the refusal.

        Returns:
            Whether there is another key now, so that a second attempt makes sense. Never raises: where no key can be fetched
            the refused one stays, and the log says why.
        """
        federated = upstream.federation is not None
        current = self._federated().held(upstream) if federated else self._keys.get(upstream.name)
        if current == refused:
            # Not the monotonic clock: it stands still while Lambda has the instance frozen, and the pause would outlast that.
            now, last = time.time(), (upstream.name, status)
            if 0 <= now - self._last_refresh.get(last, 0.0) < REFRESH_PAUSE:
                return False
            try:
                changed = self._fetch(upstream) != refused
            except SecretProblem as problem:
                self._log(upstream, problem)
                changed = False
            # A new token differs from the last, whatever is wrong: only the pause keeps refusals from exchanging one each time.
            if changed and not federated:
                self._last_refresh.pop(last, None)
            else:
                self._last_refresh[last] = now
            return changed
        return current is not None

    def _federated(self) -> TokenSource:
        if self._tokens is None:
            self._tokens = self._make_tokens()
        return self._tokens

    def _token(self, upstream: UpstreamConfig) -> str:
        try:
            return self._federated().token(upstream)
        except SecretProblem as problem:
            if not problem.passes:
                raise self._unusable(upstream, problem) from None
            log.warning(str(problem), upstream=upstream.name)
            raise UpstreamError(
                f"the gateway gets no token for the upstream {upstream.name!r} at the moment", code="upstream_token_unavailable"
            ) from None

    def _fetch(self, upstream: UpstreamConfig) -> str:
        if upstream.federation is not None:
            return self._federated().exchanged(upstream)
        secret_id = self.secret_id(upstream)
        key = key_from_secret(self._secrets.get(secret_id), secret_id, upstream.secret_field)
        self._keys[upstream.name] = key
        return key

    def _unusable(self, upstream: UpstreamConfig, problem: SecretProblem) -> CredentialError:
        self._log(upstream, problem)
        return CredentialError(
            f"the gateway has no usable key for the upstream {upstream.name!r}; its operator finds the cause in the log"
        )

    def _log(self, upstream: UpstreamConfig, problem: SecretProblem) -> None:
        log.error(str(problem), upstream=upstream.name)
