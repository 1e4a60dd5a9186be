"""What every upstream is, and the two kinds of upstream that the presets are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from aws_cdk.aws_secretsmanager import ISecret

from gateway_construct.interfaces import offers
from gateway_construct.rotation import Rotation, require_rotatable
from gateway_construct.upstream_parts import endpoint, prefixes, require_format
from lambda_runtime.config import (
    OPENAI_OPERATIONS,
    PLACEHOLDER_FIELD,
    AuthStyle,
    Operation,
    UpstreamConfig,
    WireFormat,
)

SECRET_FIELD = "apiKey"  # noqa: S105  the name of a field, not a secret


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamBase:
    """An upstream's fields and its two building blocks. `Upstream`, which users see, documents them and has the presets."""

    config: UpstreamConfig
    secret: ISecret | None = None
    rotation: Rotation | None = None
    example_models: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rotation is not None and not isinstance(self.rotation, Rotation):
            raise ValueError(
                f"upstream {self.name!r}: rotation must be Rotation.staged() or Rotation.openai_admin(...), got "
                f"{self.rotation!r}"
            )
        if self.secret is not None and not offers(self.secret, "secret_arn"):
            # Not shown: it may be the key itself.
            raise ValueError(
                f"upstream {self.name!r}: secret must be a secret of Secrets Manager, got a {type(self.secret).__name__}; one "
                "that exists is had by Secret.from_secret_complete_arn(stack, id, arn), and without it the gateway creates one"
            )
        of_keys = self.secret is not None or self.rotation is not None or self.config.secret_field != SECRET_FIELD
        if self.config.federation is not None and of_keys:
            raise ValueError(
                f"upstream {self.name!r}: federation takes the place of a stored key; leave secret, secret_field and rotation "
                "out, or the federation"
            )
        if self.secret is not None and not self.config.needs_key:
            raise ValueError(f"upstream {self.name!r} takes no key (AuthStyle.NONE), so it must not be given a secret")
        if not self.config.secret_field or self.config.secret_field == PLACEHOLDER_FIELD:
            raise ValueError(
                f"upstream {self.name!r}: secret_field must be the name of a field other than {PLACEHOLDER_FIELD!r}, which "
                f"marks a secret without a key, got {self.config.secret_field!r}",
            )
        if self.rotation is not None:
            require_rotatable(self.rotation, self.config)

    @property
    def name(self) -> str:
        """The upstream's name."""
        return self.config.name

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
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
    ) -> Self:
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
            rotation: see the class.

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
            rotation=rotation,
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
        secret_field: str = SECRET_FIELD,
        rotation: Rotation | None = None,
    ) -> Self:
        """Anything that speaks Anthropic's format.

        Args:
            name: see the class.
            base_url: without `/v1` and without a trailing slash, for example "https://llm.example.com/anthropic".
            operations: what it serves. Default: messages; few but Anthropic count tokens.
            auth: the header that carries the key. Default: `AuthStyle.X_API_KEY`.
            model_prefixes: see `openai_compatible`. Default: none, it may have any.
            secret: see the class.
            secret_field: see the class. Default: "apiKey".
            rotation: see the class.

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
            rotation=rotation,
        )
