"""Federated upstreams: no stored key, and the permission to have identity tokens for their providers and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from aws_cdk import Token
from aws_cdk.aws_iam import PolicyStatement

from gateway_construct.upstream_base import UpstreamBase
from lambda_runtime.config import GatewayConfig
from lambda_runtime.config.federation import JWT_LIFETIME, Federation

_Upstream = TypeVar("_Upstream", bound=UpstreamBase)


def federated(upstream: _Upstream, federation: Federation | None, kind: type[Federation]) -> _Upstream:
    """An upstream that takes tokens in place of a stored key.

    Args:
        upstream: the upstream as it would be with a key.
        federation: how it gets its tokens. None: it keeps its key.
        kind: the federation of this provider.

    Raises:
        ValueError: if the federation is another provider's, holds a token of the CDK, or comes with what is for stored keys.
    """
    if federation is None:
        return upstream
    if not isinstance(federation, kind):
        raise ValueError(f"upstream {upstream.name!r}: federation must be {kind.__name__}(...), got {federation!r}")  # noqa: TRY004
    if Token.is_unresolved(federation.audience):
        raise ValueError(
            f"upstream {upstream.name!r}: audience must be known at synth, got a token; it is part of the function's code, so "
            "write it out"
        )
    endpoints = tuple(replace(endpoint, auth=federation.auth) for endpoint in upstream.config.endpoints)
    return replace(upstream, config=replace(upstream.config, endpoints=endpoints, federation=federation))


def federation_statements(config: GatewayConfig) -> list[PolicyStatement]:
    """What the function must be allowed to say who it is to the providers of federated upstreams, and to nobody else.

    The action knows no resource. Its conditions do what a resource would: each audience with its own algorithm, and no longer
    than the function asks for. `ForAllValues` alone would also hold for a request without an audience.
    """
    allowed = {(found.audience, found.signing_algorithm): None for u in config.upstreams if (found := u.federation)}
    return [
        PolicyStatement(
            actions=["sts:GetWebIdentityToken"],
            resources=["*"],
            conditions={
                "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [audience]},
                "Null": {"sts:IdentityTokenAudience": "false"},
                "NumericLessThanEquals": {"sts:DurationSeconds": JWT_LIFETIME},
                "StringEquals": {"sts:SigningAlgorithm": algorithm},
            },
        )
        for audience, algorithm in allowed
    ]
