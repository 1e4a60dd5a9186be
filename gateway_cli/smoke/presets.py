"""Where well-known providers are, for tests before there is a gateway: the same as the construct's presets say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    Operation,
    UpstreamConfig,
    WireFormat,
)


def _upstream(name: str, *endpoints: tuple[str, AuthStyle, Sequence[Operation]]) -> UpstreamConfig:
    return UpstreamConfig(
        name=name,
        endpoints=tuple(Endpoint(base_url=url, auth=auth, operations=tuple(served)) for url, auth, served in endpoints),
    )


_CHAT, _MESSAGES = (Operation.CHAT_COMPLETIONS,), (Operation.MESSAGES,)

PRESETS: Mapping[str, UpstreamConfig] = MappingProxyType(
    {
        upstream.name: upstream
        for upstream in (
            _upstream(
                "holysheep",
                ("https://api.holysheep.ai/v1", AuthStyle.BEARER, _CHAT),
                ("https://api.holysheep.ai", AuthStyle.X_API_KEY, _MESSAGES),
            ),
            _upstream("openai", ("https://api.openai.com/v1", AuthStyle.BEARER, OPENAI_OPERATIONS)),
            _upstream("anthropic", ("https://api.anthropic.com", AuthStyle.X_API_KEY, ANTHROPIC_OPERATIONS)),
            _upstream(
                "deepseek",
                ("https://api.deepseek.com/v1", AuthStyle.BEARER, _CHAT),
                ("https://api.deepseek.com/anthropic", AuthStyle.X_API_KEY, _MESSAGES),
            ),
            _upstream(
                "gemini",
                (
                    "https://generativelanguage.googleapis.com/v1beta/openai",
                    AuthStyle.BEARER,
                    (Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS),
                ),
            ),
        )
    }
)
"""By name."""


def described(name: str, base_url: str, wire_format: WireFormat, auth: AuthStyle | None) -> UpstreamConfig:
    """An upstream as the options describe it.

    Args:
        name: what it is called.
        base_url: as the construct takes it.
        wire_format: that it speaks.
        auth: how it takes its key. None: as its format's own providers do.

    Raises:
        ValueError: if the name or the URL is none.
    """
    usual, operations = (AuthStyle.BEARER, _CHAT) if wire_format is WireFormat.OPENAI else (AuthStyle.X_API_KEY, _MESSAGES)
    return _upstream(name, (base_url, usual if auth is None else auth, operations))
