"""A chat completions request as one for messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.chat_history import Conversation, read_conversation, written
from lambda_runtime.translation.chat_tools import read_tools
from lambda_runtime.translation.claude_models import FOREIGN_MAX_TOKENS, ClaudeModel, claude_model
from lambda_runtime.translation.content_parts import plain, text_block
from lambda_runtime.translation.fields import Refusal, judge
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
from lambda_runtime.translation.schemas import schema_for_messages
from lambda_runtime.translation.thinking import thinking_for_claude

TRANSLATED = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "user",
    }
)
"""Fields that have a counterpart. `thinking` and `top_k` are none of OpenAI's, but its clients send them to Claude models."""

REFUSED: Mapping[str, Refusal] = {
    "audio": Refusal(bool, "Anthropic's models do not speak", "Leave `audio` out"),
    "function_call": Refusal(bool, "Function calls are not translated", "Use `tool_choice`"),
    "functions": Refusal(bool, "Functions are not translated", "Use `tools`"),
    "logprobs": Refusal(bool, "Anthropic's models give no log probabilities", "Leave `logprobs` out"),
    "modalities": Refusal(lambda value: value != ["text"], "Anthropic's models answer in text only", 'Ask for `["text"]`'),
    "moderation": Refusal(bool, "Moderation is OpenAI's own", "Leave `moderation` out"),
    "n": Refusal(lambda value: value != 1, "Anthropic's models give one answer", "Send the request `n` times"),
    "top_logprobs": Refusal(bool, "Anthropic's models give no log probabilities", "Leave `top_logprobs` out"),
    "web_search_options": Refusal(
        lambda _value: True, "Web search of chat completions is OpenAI's own", "Offer search as a function"
    ),
}
"""Fields without which the answer would be another in kind: when a value counts, what is said, and the way out."""

DROPPED: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "logit_bias": (),
    "metadata": (),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "seed": (),
    "store": (False,),
    "verbosity": ("medium",),
}
"""Fields that are dropped and reported, with the values of which nothing is lost. So are all fields that are not known."""

ONE_JSON_OBJECT = "Answer with one JSON object and nothing else: no other text around it, no code fence."
"""What the system prompt says for `response_format: json_object`, which Anthropic does not have."""

_USER_ID_LENGTH = 256


def chat_request_to_messages(body: dict[str, Any], *, model: str) -> TranslatedRequest:
    """Translate a request for a client of chat completions and an upstream of messages.

    Args:
        body: the client's body, parsed. It stays as it is.
        model: the upstream's name of the model.

    Raises:
        UntranslatableError: if it says what Anthropic's format cannot, and the answer would be another in kind without it.
        RequestError: if it is malformed.
    """
    try:
        return _translate(body, model)
    except RecursionError:
        raise RequestError("the request is nested too deeply") from None


def _translate(body: dict[str, Any], model: str) -> TranslatedRequest:
    dropped = Dropped()
    judge(body, dropped, translated=TRANSLATED, refused=REFUSED, dropped_ones=DROPPED)
    claude = claude_model(model)
    conversation = read_conversation(body.get("messages"), dropped, prefill=claude is None or claude.takes_prefill)
    tools = read_tools(body, claude, dropped)
    limit = _limit(body, claude)
    result: dict[str, Any] = {"model": model, "max_tokens": limit}
    instructions = [tools.instruction] if tools.instruction else []
    config = _response_format(body.get("response_format"), instructions, dropped)
    system = conversation.system + [text_block(instruction) for instruction in instructions]
    if system:
        result["system"] = plain(system)
    result["messages"] = written(conversation.turns)
    result |= tools.fields
    result |= _thinking(body, claude, conversation, config, dropped, limit=limit, forced=tools.forced)
    if config:
        result["output_config"] = config
    result |= _sampling(body, claude, dropped, thinking=result.get("thinking"))
    result |= _stop(body.get("stop"), dropped)
    result |= _account(body, dropped)
    if body.get("stream"):
        result["stream"] = True
    return TranslatedRequest(result, dropped.names())


def _limit(body: dict[str, Any], claude: ClaudeModel | None) -> int:
    for name in ("max_completion_tokens", "max_tokens"):
        if body.get(name) is not None:
            return whole_at(body[name], name)
    return claude.default_max_tokens if claude else FOREIGN_MAX_TOKENS


def _thinking(
    body: dict[str, Any],
    claude: ClaudeModel | None,
    conversation: Conversation,
    config: dict[str, Any],
    dropped: Dropped,
    *,
    limit: int,
    forced: bool,
) -> dict[str, Any]:
    own = body.get("thinking")
    fields, effort = thinking_for_claude(
        body.get("reasoning_effort"), claude, limit, dropped, forced=forced, in_tool_loop=conversation.in_tool_loop
    )
    if effort:
        config["effort"] = effort
    return fields if own is None else {"thinking": object_at(own, "thinking")}


def _response_format(value: Any, instructions: list[str], dropped: Dropped) -> dict[str, Any]:
    """Fields of `output_config`; what it cannot hold becomes an instruction."""
    if value is None:
        return {}
    kind = object_at(value, "response_format").get("type")
    if kind == "text":
        return {}
    if kind == "json_object":
        instructions.append(ONE_JSON_OBJECT)
        dropped.add("response_format")
        return {}
    if kind != "json_schema":
        raise RequestError("response_format.type must be text, json_object or json_schema", param="response_format.type")
    given = object_at(value.get("json_schema"), "response_format.json_schema")
    schema, less = schema_for_messages(object_at(given.get("schema"), "response_format.json_schema.schema"))
    if less:
        dropped.add("response_format.json_schema.schema")
    if given.get("description"):  # what the answer is for
        schema.setdefault("description", text_at(given["description"], "response_format.json_schema.description"))
    return {"format": {"type": "json_schema", "schema": schema}}


def _sampling(body: dict[str, Any], claude: ClaudeModel | None, dropped: Dropped, *, thinking: Any) -> dict[str, Any]:
    fields = {name: number_at(body[name], name) for name in ("temperature", "top_p", "top_k") if body.get(name) is not None}
    thinks = isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")
    if claude is not None and (thinks or not claude.takes_sampling):
        # 1 is what the two are by themselves.
        for name, value in fields.items():
            if name == "top_k" or value != 1:
                dropped.add(name)
        return {}
    if fields.get("temperature", 0) > 1:
        fields["temperature"] = 1
        dropped.add("temperature")
    one_only = claude is not None and claude.takes_one_of_temperature_and_top_p
    if one_only and {"temperature", "top_p"} <= fields.keys() and fields.pop("top_p") != 1:
        dropped.add("top_p")
    return fields


def _stop(value: Any, dropped: Dropped) -> dict[str, Any]:
    if value in EMPTY:
        return {}
    given = [value] if isinstance(value, str) else list_at(value, "stop")
    texts = [text_at(text, f"stop[{index}]") for index, text in enumerate(given)]
    kept = [text for text in texts if text.strip()]  # Anthropic refuses white space
    if len(kept) != len(texts):
        dropped.add("stop")
    return {"stop_sequences": kept} if kept else {}


def _account(body: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    """On whose behalf, and in which queue."""
    fields: dict[str, Any] = {}
    for name in ("safety_identifier", "user"):
        value = body.get(name)
        if value in EMPTY:
            continue
        text = text_at(value, name)
        # Anthropic refuses what looks like an address of e-mail.
        if "metadata" in fields or len(text) > _USER_ID_LENGTH or "@" in text:
            if fields.get("metadata") != {"user_id": text}:
                dropped.add(name)
        else:
            fields["metadata"] = {"user_id": text}
    tier = body.get("service_tier")
    if tier in ("auto", "default"):
        fields["service_tier"] = "auto" if tier == "auto" else "standard_only"
    elif tier is not None:
        dropped.add("service_tier")
    options = body.get("stream_options")
    if isinstance(options, dict):  # the stream's translator is told of `include_usage`
        for name in options:
            if name not in ("include_usage", "include_obfuscation"):
                dropped.add("stream_options")
    return fields
