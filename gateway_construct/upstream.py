"""Upstreams: the providers that a gateway relays to, as presets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from aws_cdk import Token
from aws_cdk.aws_secretsmanager import ISecret

from gateway_construct.federation import federated
from gateway_construct.provider_models import (
    ANTHROPIC_PREFIXES,
    DEEPSEEK_PREFIXES,
    GEMINI_PREFIXES,
    HOLYSHEEP_EXAMPLE_MODELS,
    OPENAI_PREFIXES,
)
from gateway_construct.rotation import Rotation
from gateway_construct.upstream_base import SECRET_FIELD, UpstreamBase
from gateway_construct.upstream_parts import endpoint
from lambda_runtime.config import ANTHROPIC_OPERATIONS, AuthStyle, Operation, UpstreamConfig
from lambda_runtime.config.federation import AnthropicFederation, OpenAiFederation

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream(UpstreamBase):
    """A provider that the gateway relays to. Made by one of the class methods; the constructor is for what they do not cover.

    Each class method takes:

    - `name`: names the upstream in the model map (`name/model`), in logs and metrics. Lower-case letters, digits and hyphens.
    - `secret`: holds the provider's key, as plain text or as a JSON object. The gateway's function is allowed to read it, and
      to decrypt it if its `encryption_key` is known; one of another account must allow that, too. The permission for one that
      is imported by its name ends in `-??????`, the characters that Secrets Manager adds. Default: the gateway creates a
      secret with a placeholder, and keeps it when the stack goes.
    - `secret_field`: the field of that JSON object. Default: "apiKey".
    - `rotation`: replaces the key by schedule, `Rotation.staged()` or `Rotation.openai_admin(...)`. Default: none, the operator
      replaces it.

    Where a provider serves models of its own only, the preset knows how their names begin. A model that the gateway's map does
    not name goes to the upstreams that may have it: those whose names begin so, and those whose models can be anybody's.

    Args:
        config: the part that travels with the function.
        secret: as above. Default: the gateway creates one.
        rotation: as above. Default: none.
        example_models: entries that are added to the gateway's model map where it has none for that name: the name asked for
            and the upstream's own. Default: none.

    Raises:
        ValueError: if a secret or a rotation is given to an upstream that takes no key, `secret_field` cannot be one, or the
            rotation is for another provider.
    """

    @classmethod
    def holysheep(
        cls,
        *,
        name: str = "holysheep",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
        example_models: bool = False,
    ) -> Self:
        """HolySheep AI: chat completions and messages, models of many vendors behind one key.

        Args:
            name: see the class. Default: "holysheep".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.
            example_models: whether the names in `HOLYSHEEP_EXAMPLE_MODELS` are mapped, unless the gateway's own map names
                them. Default: False.
        """
        return cls(
            config=UpstreamConfig(
                name=name,
                secret_field=secret_field,
                endpoints=(
                    endpoint("https://api.holysheep.ai/v1", AuthStyle.BEARER, (Operation.CHAT_COMPLETIONS,)),
                    endpoint("https://api.holysheep.ai", AuthStyle.X_API_KEY, (Operation.MESSAGES,)),
                ),
            ),
            secret=secret,
            rotation=rotation,
            example_models=HOLYSHEEP_EXAMPLE_MODELS if example_models else {},
        )

    @classmethod
    def openai(
        cls,
        *,
        name: str = "openai",
        base_url: str = "https://api.openai.com/v1",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
        federation: OpenAiFederation | None = None,
    ) -> Self:
        """OpenAI: chat completions, responses and embeddings.

        Args:
            name: see the class. Default: "openai".
            base_url: another of OpenAI's addresses, for example for data residency. Default: "https://api.openai.com/v1".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.
            federation: short-lived tokens in place of a stored key; then there is no secret. Default: none, a key is stored.

        Raises:
            ValueError: if a federation comes with a secret, a secret field or a rotation.
        """
        upstream = cls.openai_compatible(
            name,
            base_url=base_url,
            model_prefixes=OPENAI_PREFIXES,
            secret=secret,
            secret_field=secret_field,
            rotation=rotation,
        )
        return federated(upstream, federation, OpenAiFederation)

    @classmethod
    def anthropic(
        cls,
        *,
        name: str = "anthropic",
        base_url: str = "https://api.anthropic.com",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
        federation: AnthropicFederation | None = None,
    ) -> Self:
        """Anthropic: messages and token counting.

        Args:
            name: see the class. Default: "anthropic".
            base_url: without `/v1`. Default: "https://api.anthropic.com".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.
            federation: short-lived tokens in place of a stored key; then there is no secret. Default: none, a key is stored.

        Raises:
            ValueError: if a federation comes with a secret, a secret field or a rotation.
        """
        upstream = cls.anthropic_compatible(
            name,
            base_url=base_url,
            operations=ANTHROPIC_OPERATIONS,
            model_prefixes=ANTHROPIC_PREFIXES,
            secret=secret,
            secret_field=secret_field,
            rotation=rotation,
        )
        return federated(upstream, federation, AnthropicFederation)

    @classmethod
    def deepseek(
        cls,
        *,
        name: str = "deepseek",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
    ) -> Self:
        """DeepSeek: chat completions and messages.

        Args:
            name: see the class. Default: "deepseek".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.
        """
        return cls(
            config=UpstreamConfig(
                name=name,
                secret_field=secret_field,
                endpoints=(
                    endpoint("https://api.deepseek.com/v1", AuthStyle.BEARER, (Operation.CHAT_COMPLETIONS,)),
                    endpoint("https://api.deepseek.com/anthropic", AuthStyle.X_API_KEY, (Operation.MESSAGES,)),
                ),
                model_prefixes=DEEPSEEK_PREFIXES,
            ),
            secret=secret,
            rotation=rotation,
        )

    @classmethod
    def gemini(
        cls,
        *,
        name: str = "gemini",
        base_url: str = "https://generativelanguage.googleapis.com/v1beta/openai",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
    ) -> Self:
        """Google Gemini through its OpenAI-compatible endpoint: chat completions and embeddings.

        Args:
            name: see the class. Default: "gemini".
            base_url: default: "https://generativelanguage.googleapis.com/v1beta/openai".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.
        """
        return cls.openai_compatible(
            name,
            base_url=base_url,
            operations=(Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS),
            model_prefixes=GEMINI_PREFIXES,
            secret=secret,
            secret_field=secret_field,
            rotation=rotation,
        )

    @classmethod
    def bedrock(
        cls,
        region: str,
        *,
        name: str = "bedrock",
        secret: ISecret | None = None,
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
    ) -> Self:
        """Amazon Bedrock through its OpenAI-compatible endpoint: chat completions and responses.

        Args:
            region: AWS Region of the models, for example "us-west-2". It is part of the function's code, so a Region that is
                known only at deployment (a token) is refused.
            name: see the class. Default: "bedrock".
            secret: see the class. It holds a Bedrock API key.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.

        Raises:
            ValueError: if the Region is a token or none.
        """
        if Token.is_unresolved(region):
            raise ValueError("bedrock: region must be known at synth, got a token; write it out, for example 'us-west-2'")
        if not _REGION.fullmatch(region):
            raise ValueError(f"bedrock: region must be an AWS Region such as 'us-west-2', got {region!r}")
        return cls.openai_compatible(
            name,
            base_url=f"https://bedrock-runtime.{region}.amazonaws.com/openai/v1",
            operations=(Operation.CHAT_COMPLETIONS, Operation.RESPONSES),
            secret=secret,
            secret_field=secret_field,
            rotation=rotation,
        )
