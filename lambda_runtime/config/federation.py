"""Federation: an upstream that takes short-lived tokens for the function's AWS identity, so that no key of it is stored.

Only gateways that use it import this module.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from lambda_runtime.config.formats import AuthStyle

JWT_LIFETIME = 900
"""Seconds for which the identity token is valid that is exchanged for an upstream's. OpenAI's own ends with it at the latest,
Anthropic's after twice that time."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}").fullmatch
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_AUDIENCE = re.compile(r"[\x21-\x7e]{1,1000}").fullmatch


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAiFederation:
    """OpenAI's workload identity federation: no stored key, but a token for a service account of a project.

    AWS's outbound identity federation must be on in the account, and OpenAI must trust the account's issuer and the
    function's role; docs/credentials.md has both, step by step.

    Args:
        identity_provider_id: of the workload identity provider that is configured at OpenAI for this AWS account.
        service_account_id: of the service account that the provider maps the function's role to.
        audience: whom the function's identity token is for, as the provider is configured. Default:
            "https://api.openai.com/v1".
        token_url: where tokens are exchanged. Default: "https://auth.openai.com/oauth/token".

    Raises:
        ValueError: if an id is none, the audience cannot be one, or the URL is not https.
    """

    identity_provider_id: str
    service_account_id: str
    audience: str = "https://api.openai.com/v1"
    token_url: str = "https://auth.openai.com/oauth/token"  # noqa: S105

    provider: ClassVar[str] = "OpenAI"
    auth: ClassVar[AuthStyle] = AuthStyle.BEARER
    signing_algorithm: ClassVar[str] = "ES384"

    def __post_init__(self) -> None:
        _require_id("identity_provider_id", self.identity_provider_id)
        _require_id("service_account_id", self.service_account_id)
        _require_audience(self.audience)
        _require_secure("token_url", self.token_url)

    def exchange_url(self, base_url: str) -> str:  # noqa: ARG002
        """Where tokens are exchanged, whatever the upstream's base URL."""
        return self.token_url


@dataclass(frozen=True, kw_only=True, slots=True)
class AnthropicFederation:
    """Anthropic's workload identity federation: no stored key, but a token for a service account of a workspace.

    AWS's outbound identity federation must be on in the account, and Anthropic must trust the account's issuer and the
    function's role; docs/credentials.md has both, step by step.

    Args:
        federation_rule_id: of the rule that accepts the function's role, `fdrl_...`.
        organization_id: of the organization, a UUID.
        service_account_id: of the rule's target, `svac_...`.
        workspace_id: of the workspace, `wrkspc_...`, or "default". Must be given if the rule is for more than one. Default: the
            rule's.
        audience: whom the function's identity token is for, as the rule wants it. Default: "https://api.anthropic.com".
        token_url: where tokens are exchanged. Default: `/v1/oauth/token` below the upstream's base URL.

    Raises:
        ValueError: if an id is none, the audience cannot be one, or the URL is not https.
    """

    federation_rule_id: str
    organization_id: str
    service_account_id: str
    workspace_id: str | None = None
    audience: str = "https://api.anthropic.com"
    token_url: str | None = None

    provider: ClassVar[str] = "Anthropic"
    auth: ClassVar[AuthStyle] = AuthStyle.ANTHROPIC_OAUTH
    signing_algorithm: ClassVar[str] = "RS256"

    def __post_init__(self) -> None:
        _require_id("federation_rule_id", self.federation_rule_id, "fdrl_")
        if not _UUID(self.organization_id):
            raise ValueError(
                f"organization_id must be a UUID, got {self.organization_id!r}; Claude's Console shows it under "
                "Settings > Organization"
            )
        _require_id("service_account_id", self.service_account_id, "svac_")
        if self.workspace_id not in {None, "default"}:
            _require_id("workspace_id", self.workspace_id or "", "wrkspc_")
        _require_audience(self.audience)
        if self.token_url is not None:
            _require_secure("token_url", self.token_url)

    def exchange_url(self, base_url: str) -> str:
        """Where tokens are exchanged for an upstream with that base URL."""
        return self.token_url or f"{base_url}/v1/oauth/token"


Federation = OpenAiFederation | AnthropicFederation

_KINDS: Mapping[str, type[Federation]] = {"openai": OpenAiFederation, "anthropic": AnthropicFederation}


def require_endpoints(upstream: str, federation: Federation, endpoints: tuple[tuple[str, AuthStyle], ...]) -> None:
    """Refuse a federation on an upstream that cannot be its provider.

    Args:
        upstream: the upstream's name.
        federation: how it gets its tokens.
        endpoints: base URL and auth style of each endpoint.

    Raises:
        ValueError: if it is no federation, an endpoint takes its key in another way, or tokens would be exchanged in clear.
    """
    if not isinstance(federation, Federation):
        raise ValueError(  # noqa: TRY004  whatever is wrong with a configuration is a ValueError
            f"upstream {upstream!r}: federation must be OpenAiFederation(...) or AnthropicFederation(...), got {federation!r}"
        )
    for base_url, auth in endpoints:
        if auth is not federation.auth:
            raise ValueError(
                f"upstream {upstream!r}: {type(federation).__name__} sends its tokens as {federation.auth.name}, "
                f"but the endpoint {base_url!r} is configured for {auth.name}"
            )
        _require_secure(f"upstream {upstream!r}: the token endpoint", federation.exchange_url(base_url))


def federation_document(federation: Federation) -> dict[str, Any]:
    """A federation as a JSON object."""
    kind = next(name for name, found in _KINDS.items() if isinstance(federation, found))
    return {"kind": kind, **asdict(federation)}


def read_federation(document: Mapping[str, Any]) -> Federation:
    """What `federation_document` wrote."""
    fields = dict(document)
    return _KINDS[fields.pop("kind")](**fields)


def _require_id(field: str, value: str, prefix: str = "") -> None:
    if not isinstance(value, str) or not _ID(value) or not value.startswith(prefix):
        example = f"{prefix}..." if prefix else "the id that the provider shows"
        raise ValueError(f"{field} must be {example}, got {value!r}")


def _require_audience(value: str) -> None:
    if not isinstance(value, str) or not _AUDIENCE(value):
        raise ValueError(f"audience must be 1 to 1,000 visible ASCII characters without spaces, got {value!r}")


def _require_secure(what: str, url: str) -> None:
    """Refuse to send an identity token in clear, except to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise ValueError(f"{what} must be an absolute https URL, got {url!r}; identity tokens are not sent in clear")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
