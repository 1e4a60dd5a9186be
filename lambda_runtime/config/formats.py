"""What the gateway speaks: wire formats, operations, and how keys are sent."""

from __future__ import annotations

from enum import StrEnum


class WireFormat(StrEnum):
    """The two families of wire formats: they differ in bodies, events, errors and headers."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Operation(StrEnum):
    """What a client may ask for. The value is the path below an upstream's base URL."""

    CHAT_COMPLETIONS = "/chat/completions"
    RESPONSES = "/responses"
    EMBEDDINGS = "/embeddings"
    MESSAGES = "/v1/messages"
    COUNT_TOKENS = "/v1/messages/count_tokens"

    @property
    def wire_format(self) -> WireFormat:
        """The wire format family the operation belongs to."""
        return WireFormat.ANTHROPIC if self.value.startswith("/v1/messages") else WireFormat.OPENAI

    @property
    def route(self) -> str:
        """The operation's path on the gateway. Upstreams' base URLs hold the version for the OpenAI format only."""
        return self.value if self.wire_format is WireFormat.ANTHROPIC else f"/v1{self.value}"


OPENAI_OPERATIONS = (Operation.CHAT_COMPLETIONS, Operation.RESPONSES, Operation.EMBEDDINGS)
ANTHROPIC_OPERATIONS = (Operation.MESSAGES, Operation.COUNT_TOKENS)


class AuthStyle(StrEnum):
    """How an endpoint takes the upstream's key. The value is the header's name, in lower case; empty for none.

    `ANTHROPIC_OAUTH` is `BEARER` with the flag in `anthropic-beta` without which Anthropic takes no tokens.
    """

    BEARER = "authorization"
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"
    ANTHROPIC_OAUTH = "anthropic-oauth"
    NONE = ""
