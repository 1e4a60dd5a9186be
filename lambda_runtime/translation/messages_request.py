"""A messages request as one for chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.fields import Refusal, judge
from lambda_runtime.translation.messages_history import read_messages
from lambda_runtime.translation.messages_tools import read_tools
from lambda_runtime.translation.openai_models import ChatModel, chat_model
from lambda_runtime.translation.request import (
    EMPTY,
    Dropped,
    TranslatedRequest,
    list_at,
    number_at,
    object_at,
    text_at,
    whole_at,
)
from lambda_runtime.translation.schemas import is_strict
from lambda_runtime.translation.thinking import effort_for_chat

TRANSLATED = frozenset(
    {
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "output_format",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_p",
    }
)
"""Fields that have a counterpart. `output_format` is what `output_config.format` was called before."""

REFUSED: Mapping[str, Refusal] = {
    "container": Refusal(bool, "Containers are Anthropic's own", "Leave `container` out"),
    "inference_geo": Refusal(
        lambda value: value != "global",
        "Where the model runs cannot be said in chat completions",
        "Leave `inference_geo` out",
    ),
    "mcp_servers": Refusal(bool, "Tools that run at the provider are Anthropic's own", "Offer them as tools of yours"),
}
"""Fields without which the answer would be another in kind: when a value counts, what is said, and the way out."""

DROPPED: Mapping[str, tuple[Any, ...]] = {
    "betas": (),
    "cache_control": (),
    "context_management": (),
    "diagnostics": (),
    "fallbacks": (),
    "speed": ("standard",),
    "top_k": (),
    "user_profile_id": (),
    "workspace_id": (),
}
"""Fields that are dropped and reported, with the values of which nothing is lost. So are all fields that are not known."""

_USER_LENGTH = 64
_STOPS = 4


def messages_request_to_chat(body: dict[str, Any], *, model: str) -> TranslatedRequest:
    """Translate a request for a client of messages and an upstream of chat completions.

    A streamed one asks for usage figures, which a stream of messages always has.

    Args:
        body: the client's body, parsed. It stays as it is.
        model: the upstream's name of the model.

    Raises:
        UntranslatableError: if it says what chat completions cannot, and the answer would be another in kind without it.
        RequestError: if it is malformed.
    """
    try:
        return _translate(body, model)
    except RecursionError:
        raise RequestError("the request is nested too deeply") from None


def _translate(body: dict[str, Any], model: str) -> TranslatedRequest:
    dropped = Dropped()
    judge(body, dropped, translated=TRANSLATED, refused=REFUSED, dropped_ones=DROPPED)
    chat = chat_model(model)
    result: dict[str, Any] = {"model": model, "messages": read_messages(body, chat, dropped)}
    result[chat.limit_field] = whole_at(body.get("max_tokens"), "max_tokens")
    result |= read_tools(body, dropped)
    result |= _format(body, dropped)
    result |= effort_for_chat(body, chat, dropped, tools="tools" in result)
    plain = not chat.reasons or result.get("reasoning_effort") == "none"
    result |= _sampling(body, dropped, plain=plain)
    result |= _stop(body.get("stop_sequences"), chat, dropped)
    result |= _account(body, dropped)
    if body.get("stream"):
        result["stream"] = True
        result["stream_options"] = {"include_usage": True}
    return TranslatedRequest(result, dropped.names())


def _format(body: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """The form of the answer."""
    config = object_at(body.get("output_config") or {}, "output_config")
    dropped.others(config, ("effort", "format"), "output_config.")
    name = "output_config.format" if config.get("format") is not None else "output_format"
    given = config["format"] if name == "output_config.format" else body.get("output_format")
    if given is None:
        return {}
    if object_at(given, name).get("type") != "json_schema":
        raise RequestError(f"{name}.type must be json_schema", param=f"{name}.type")
    schema = object_at(given.get("schema"), f"{name}.schema")
    strict = is_strict(schema)
    if not strict:
        dropped.add(name)  # it is followed as well as the model can, not enforced
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": strict}}}


def _sampling(body: dict[str, Any], dropped: Dropped, *, plain: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if plain:
            fields[name] = number_at(value, name)
        elif value != 1:
            dropped.add(name)
    return fields


def _stop(value: Any, chat: ChatModel, dropped: Dropped) -> dict[str, Any]:
    if value in EMPTY:
        return {}
    texts = [text_at(text, f"stop_sequences[{index}]") for index, text in enumerate(list_at(value, "stop_sequences"))]
    if chat.reasons:
        dropped.add("stop_sequences")
        return {}
    if chat.series and len(texts) > _STOPS:
        raise UntranslatableError("stop_sequences", f"OpenAI's models take {_STOPS} stop sequences at most", "Send fewer")
    return {"stop": texts}


def _account(body: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """On whose behalf, and in which queue."""
    fields: dict[str, Any] = {}
    metadata = object_at(body.get("metadata") or {}, "metadata")
    dropped.others(metadata, ("user_id",), "metadata.")
    user = metadata.get("user_id")
    if user not in EMPTY:
        user = text_at(user, "metadata.user_id")
        fields["user"] = user if len(user) <= _USER_LENGTH else _digest(user)
    tier = body.get("service_tier")
    if tier in ("auto", "standard_only"):
        fields["service_tier"] = "auto" if tier == "auto" else "default"
    elif tier is not None:
        dropped.add("service_tier")
    return fields


def _digest(text: str) -> str:
    """A name as long as OpenAI takes it, always the same for the same text."""
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
