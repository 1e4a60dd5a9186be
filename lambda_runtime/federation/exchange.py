"""Exchanges an identity token for a provider's own: what each provider is sent, and what its answer means."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from lambda_runtime.config.federation import Federation, OpenAiFederation
from lambda_runtime.federation.problem import TransientProblem
from lambda_runtime.json_scan import parse_object
from lambda_runtime.secret_value import SecretProblem

DEFAULT_LIFETIME = 60.0
"""Seconds for which a token is used whose lifetime the provider does not say: the shortest that providers give."""

LONGEST_LIFETIME = 86_400.0
"""Seconds for which a token is used at most, whatever the provider says: the longest that providers give."""

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_OK = 200
_TOO_MANY = 429
_REQUEST_TIMEOUT = 408
_SERVER_ERROR = 500
_MAX_WORDS = 300
_SHOWN_CLAIMS = ("iss", "sub", "aud")


class Granted(NamedTuple):
    """A provider's token.

    Args:
        token: the token.
        lifetime: seconds for which it is valid.
    """

    token: str
    lifetime: float

    def __repr__(self) -> str:
        return f"Granted(lifetime={self.lifetime!r})"


def exchange(client: httpx.Client, federation: Federation, url: str, identity: str) -> Granted:
    """Exchange an identity token.

    Args:
        client: the HTTP client.
        federation: with which provider, and as whom.
        url: where.
        identity: the identity token.

    Raises:
        TransientProblem: if the provider does not answer, or not now. The identity token may have been used up by it.
        SecretProblem: if the provider refuses it, or gives no token.
    """
    try:
        response = client.post(url, json=exchange_request(federation, identity), headers=_headers(federation), timeout=_TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TransientProblem(
            f"{federation.provider} does not answer at {url} ({type(error).__name__}: {error}); in a VPC the function needs a "
            "NAT gateway and a security group that lets it out on port 443",
            again=not isinstance(error, httpx.TimeoutException),
        ) from None
    document = parse_object(response.content) or {}
    if response.status_code != _OK:
        raise _refused(response.status_code, document, federation, url, identity)
    token = document.get("access_token")
    if not isinstance(token, str) or not _header_safe(token):
        raise SecretProblem(
            f"{url} answered without a token that a request can carry; is it {federation.provider}'s token_url?"
        )
    return Granted(token, _lifetime(document.get("expires_in")))


def exchange_request(federation: Federation, identity: str) -> dict[str, str]:
    """What the provider is sent: RFC 8693 at OpenAI, RFC 7523 at Anthropic, both as JSON and with fields of their own."""
    if isinstance(federation, OpenAiFederation):
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": identity,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "identity_provider_id": federation.identity_provider_id,
            "service_account_id": federation.service_account_id,
        }
    request = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": identity,
        "federation_rule_id": federation.federation_rule_id,
        "organization_id": federation.organization_id,
        "service_account_id": federation.service_account_id,
    }
    return request if federation.workspace_id is None else request | {"workspace_id": federation.workspace_id}


def mend(federation: Federation) -> str:
    """What to look at where the provider refuses a token that it gave itself."""
    if isinstance(federation, OpenAiFederation):
        return (
            f"look at OpenAI whether the service account {federation.service_account_id} and its project may do this, and at "
            "the permissions of its mapping"
        )
    return (
        f"look in Claude's Console whether the service account {federation.service_account_id} is a member of the workspace, "
        f"and at the oauth_scope of the rule {federation.federation_rule_id}"
    )


def _headers(federation: Federation) -> dict[str, str]:
    if isinstance(federation, OpenAiFederation):
        return {}
    # As Anthropic's own SDKs do it: the second flag leads the request to the service that knows federation.
    return {"anthropic-beta": "oauth-2025-04-20,oidc-federation-2026-04-01"}


def _lifetime(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return DEFAULT_LIFETIME
    return min(float(value), LONGEST_LIFETIME)


def _header_safe(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _refused(status: int, document: Mapping[str, Any], federation: Federation, url: str, identity: str) -> SecretProblem:
    words = _words(document, identity)
    said = f"{federation.provider} gives no token for the function's identity (status {status}{words and ': ' + words})"
    if status >= _SERVER_ERROR or status in {_TOO_MANY, _REQUEST_TIMEOUT}:
        return TransientProblem(said, again=status >= _SERVER_ERROR)
    if isinstance(federation, OpenAiFederation):
        where = (
            f"the workload identity provider {federation.identity_provider_id} must have this issuer and audience, and a "
            f"mapping of this subject to the service account {federation.service_account_id}"
        )
    else:
        where = (
            f"the rule {federation.federation_rule_id} must match this subject and audience, and its issuer must be this one; "
            "the Console's history of authentications has the reason"
        )
    return SecretProblem(f"{said} at {url}. It was asked with {_claims(identity)}: {where}")


def _words(document: Mapping[str, Any], identity: str) -> str:
    """The provider's own words, without the token that it may quote."""
    error = document.get("error")
    nested = error if isinstance(error, Mapping) else {}
    parts = (error if isinstance(error, str) else nested.get("type"), document.get("error_description"), nested.get("message"))
    text = ": ".join(part for part in parts if isinstance(part, str))
    return text.replace(identity, "[redacted]")[:_MAX_WORDS]


def _claims(identity: str) -> str:
    """What the provider was told: no secrets, but what its configuration must agree with."""
    try:
        payload = identity.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return ", ".join(f"{name}={claims[name]}" for name in _SHOWN_CLAIMS if name in claims)
    except (IndexError, TypeError, ValueError):
        return "a token that is no JWT"
