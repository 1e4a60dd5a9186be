"""Upstreams: the providers that a gateway relays to, as presets and as building blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Token
from aws_cdk.aws_secretsmanager import ISecret

from gateway_construct.provider_models import (
    ANTHROPIC_PREFIXES,
    DEEPSEEK_PREFIXES,
    GEMINI_PREFIXES,
    HOLYSHEEP_EXAMPLE_MODELS,
    OPENAI_PREFIXES,
)
from gateway_construct.upstream_parts import endpoint, prefixes, require_format
from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    PLACEHOLDER_FIELD,
    AuthStyle,
    Operation,
    UpstreamConfig,
    WireFormat,
)

_SECRET_FIELD = "apiKey"  # noqa: S105  the name of a field, not a secret

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """A provider that the gateway relays to. Made by one of the class methods; the constructor is for what they do not cover.

    Each class method takes:

    - `name`: names the upstream in the model map (`name/model`), in logs and metrics. Lower-case letters, digits and hyphens.
    - `secret`: holds the provider's key, as plain text or as a JSON object. The gateway's function is allowed to read it, and
      to decrypt it if its `encryption_key` is known; one of another account must allow that, too. The permission for one that
      is imported by its name ends in `-??????`, the characters that Secrets Manager adds. Default: the gateway creates a
      secret with a placeholder, and keeps it when the stack goes.
    - `secret_field`: the field of that JSON object. Default: "apiKey".

    Where a provider serves models of its own only, the preset knows how their names begin. A model that the gateway's map does
    not name goes to the upstreams that may have it: those whose names begin so, and those whose models can be anybody's.

    Args:
        config: the part that travels with the function.
        secret: as above. Default: the gateway creates one.
        example_models: entries that are added to the gateway's model map where it has none for that name: the name asked for
            and the upstream's own. Default: none.

    Raises:
        ValueError: if a secret is given to an upstream that takes no key, or `secret_field` cannot be one.
    """

    config: UpstreamConfig
    secret: ISecret | None = None
    example_models: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.secret is not None and not self.config.needs_key:
            raise ValueError(f"upstream {self.name!r} takes no key (AuthStyle.NONE), so it must not be given a secret")
        if not self.config.secret_field or self.config.secret_field == PLACEHOLDER_FIELD:
            raise ValueError(
                f"upstream {self.name!r}: secret_field must be the name of a field other than {PLACEHOLDER_FIELD!r}, which "
                f"marks a secret without a key, got {self.config.secret_field!r}",
            )

    @property
    def name(self) -> str:
        """The upstream's name."""
        return self.config.name

    @classmethod
    def holysheep(
        cls,
        *,
        name: str = "holysheep",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
        example_models: bool = False,
    ) -> Upstream:
        """HolySheep AI: chat completions and messages, models of many vendors behind one key.

        Args:
            name: see the class. Default: "holysheep".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
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
            example_models=HOLYSHEEP_EXAMPLE_MODELS if example_models else {},
        )

    @classmethod
    def openai(
        cls,
        *,
        name: str = "openai",
        base_url: str = "https://api.openai.com/v1",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """OpenAI: chat completions, responses and embeddings.

        Args:
            name: see the class. Default: "openai".
            base_url: another of OpenAI's addresses, for example for data residency. Default: "https://api.openai.com/v1".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
        """
        return cls.openai_compatible(
            name,
            base_url=base_url,
            model_prefixes=OPENAI_PREFIXES,
            secret=secret,
            secret_field=secret_field,
        )

    @classmethod
    def anthropic(
        cls,
        *,
        name: str = "anthropic",
        base_url: str = "https://api.anthropic.com",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """Anthropic: messages and token counting.

        Args:
            name: see the class. Default: "anthropic".
            base_url: without `/v1`. Default: "https://api.anthropic.com".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
        """
        return cls.anthropic_compatible(
            name,
            base_url=base_url,
            operations=ANTHROPIC_OPERATIONS,
            model_prefixes=ANTHROPIC_PREFIXES,
            secret=secret,
            secret_field=secret_field,
        )

    @classmethod
    def deepseek(
        cls,
        *,
        name: str = "deepseek",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """DeepSeek: chat completions and messages.

        Args:
            name: see the class. Default: "deepseek".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
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
        )

    @classmethod
    def gemini(
        cls,
        *,
        name: str = "gemini",
        base_url: str = "https://generativelanguage.googleapis.com/v1beta/openai",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """Google Gemini through its OpenAI-compatible endpoint: chat completions and embeddings.

        Args:
            name: see the class. Default: "gemini".
            base_url: default: "https://generativelanguage.googleapis.com/v1beta/openai".
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
        """
        return cls.openai_compatible(
            name,
            base_url=base_url,
            operations=(Operation.CHAT_COMPLETIONS, Operation.EMBEDDINGS),
            model_prefixes=GEMINI_PREFIXES,
            secret=secret,
            secret_field=secret_field,
        )

    @classmethod
    def bedrock(
        cls,
        region: str,
        *,
        name: str = "bedrock",
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """Amazon Bedrock through its OpenAI-compatible endpoint: chat completions and responses.

        Args:
            region: AWS Region of the models, for example "us-west-2". It is part of the function's code, so a Region that is
                known only at deployment (a token) is refused.
            name: see the class. Default: "bedrock".
            secret: see the class. It holds a Bedrock API key.
            secret_field: see the class. Default: "apiKey".

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
        )

    @classmethod
    def openai_compatible(
        cls,
        name: str,
        *,
        base_url: str,
        operations: Sequence[Operation] = OPENAI_OPERATIONS,
        auth: AuthStyle = AuthStyle.BEARER,
        model_prefixes: Sequence[str] = (),
        stream_usage: bool = True,
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """Anything that speaks OpenAI's format: vLLM, Ollama, Azure OpenAI, another relay.

        Azure OpenAI: `base_url="https://<resource>.openai.azure.com/openai/v1"`, `auth=AuthStyle.API_KEY`.
        A server without keys: `auth=AuthStyle.NONE`.

        Args:
            name: see the class.
            base_url: with its version and without a trailing slash, for example "https://llm.example.com/v1".
            operations: what it serves. Default: chat completions, responses and embeddings.
            auth: the header that carries the key. Default: `AuthStyle.BEARER`.
            model_prefixes: what its models' names begin with, if it serves no others, for example `["llama-"]`. A model that
                the gateway's map does not name and that begins otherwise goes to another upstream that may have it. Default:
                none, it may have any.
            stream_usage: whether it takes `stream_options.include_usage`, by which the gateway learns what a stream used.
                Where it does not, a stream's usage is an estimate. Default: True.
            secret: see the class.
            secret_field: see the class. Default: "apiKey".

        Raises:
            ValueError: if the URL is not absolute or a token, an operation is not of OpenAI's format, or `model_prefixes` are
                none that a name could begin with.
        """
        require_format("openai_compatible", operations, WireFormat.OPENAI, instead="anthropic_compatible")
        return cls(
            config=UpstreamConfig(
                name=name,
                endpoints=(endpoint(base_url, auth, operations),),
                secret_field=secret_field,
                model_prefixes=prefixes(name, model_prefixes),
                stream_usage=stream_usage,
            ),
            secret=secret,
        )

    @classmethod
    def anthropic_compatible(
        cls,
        name: str,
        *,
        base_url: str,
        operations: Sequence[Operation] = (Operation.MESSAGES,),
        auth: AuthStyle = AuthStyle.X_API_KEY,
        model_prefixes: Sequence[str] = (),
        secret: ISecret | None = None,
        secret_field: str = _SECRET_FIELD,
    ) -> Upstream:
        """Anything that speaks Anthropic's format.

        Args:
            name: see the class.
            base_url: without `/v1` and without a trailing slash, for example "https://llm.example.com/anthropic".
            operations: what it serves. Default: messages; few but Anthropic count tokens.
            auth: the header that carries the key. Default: `AuthStyle.X_API_KEY`.
            model_prefixes: see `openai_compatible`. Default: none, it may have any.
            secret: see the class.
            secret_field: see the class. Default: "apiKey".

        Raises:
            ValueError: if the URL is not absolute or a token, an operation is not of Anthropic's format, or `model_prefixes`
                are none that a name could begin with.
        """
        require_format("anthropic_compatible", operations, WireFormat.ANTHROPIC, instead="openai_compatible")
        return cls(
            config=UpstreamConfig(
                name=name,
                endpoints=(endpoint(base_url, auth, operations),),
                secret_field=secret_field,
                model_prefixes=prefixes(name, model_prefixes),
            ),
            secret=secret,
        )
