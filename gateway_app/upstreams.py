"""Upstreams as the context block describes them: a preset by its name, or an object with the preset's options."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields

from aws_cdk import Duration

from gateway_app.json_value import ContextError, JsonValue, blamed_on
from gateway_construct import AnthropicFederation, AuthStyle, OpenAiFederation, Operation, Rotation, Upstream


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamEntry:
    """An upstream and the existing secret that it is to use.

    Args:
        upstream: without a secret.
        secret_arn: complete ARN of a secret in the same account and Region. Default: None, the gateway creates one.
    """

    upstream: Upstream
    secret_arn: str | None = None


_COMPLETE_ARN = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+-[A-Za-z0-9]{6}")
_AUTH_STYLES = {style.name.lower(): style for style in AuthStyle if style is not AuthStyle.ANTHROPIC_OAUTH}
_OPERATIONS = {operation.name.lower(): operation for operation in Operation}


def _rotation(value: JsonValue) -> Rotation:
    """The rotation to a key that the operator stages; the other kind takes a secret of its own, a construct."""
    given = value.fields("every_days", "notice_days", required=("every_days",))
    days = {name.removesuffix("_days"): Duration.days(member.whole(1, 999)) for name, member in given.items()}
    with blamed_on(value.path):
        return Rotation.staged(**days)


_OPTIONS: dict[str, Callable[[JsonValue], object]] = {
    "auth": lambda value: value.choice(_AUTH_STYLES),
    "base_url": JsonValue.text,
    "example_models": JsonValue.flag,
    "model_prefixes": lambda value: tuple(item.text() for item in value.items()),
    "name": JsonValue.text,
    "operations": lambda value: tuple(item.choice(_OPERATIONS) for item in value.items()),
    "region": JsonValue.text,
    "rotation": _rotation,
    "secret_field": JsonValue.text,
    "stream_usage": JsonValue.flag,
}


@dataclass(frozen=True, slots=True)
class _Preset:
    make: Callable[..., Upstream]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    federation: type[OpenAiFederation | AnthropicFederation] | None = None


PRESETS = {
    "holysheep": _Preset(Upstream.holysheep, optional=("name", "example_models")),
    "openai": _Preset(Upstream.openai, optional=("name", "base_url"), federation=OpenAiFederation),
    "anthropic": _Preset(Upstream.anthropic, optional=("name", "base_url"), federation=AnthropicFederation),
    "deepseek": _Preset(Upstream.deepseek, optional=("name",)),
    "gemini": _Preset(Upstream.gemini, optional=("name", "base_url")),
    "bedrock": _Preset(Upstream.bedrock, required=("region",), optional=("name",)),
    "openai_compatible": _Preset(
        Upstream.openai_compatible,
        required=("name", "base_url"),
        optional=("auth", "operations", "model_prefixes", "stream_usage"),
    ),
    "anthropic_compatible": _Preset(
        Upstream.anthropic_compatible,
        required=("name", "base_url"),
        optional=("auth", "operations", "model_prefixes"),
    ),
}


def read_upstream(value: JsonValue) -> UpstreamEntry:
    """Read `"openai"` or `{"preset": "openai", ...}`.

    Raises:
        ContextError: if the preset or an option does not exist, or an option's value is wrong.
    """
    if isinstance(value.value, str):
        value = JsonValue(value.path, {"preset": value.value})
    members = value.members()
    if "preset" not in members:
        raise ContextError(f"{value.path}.preset is missing, got only {list(members)}; known: {', '.join(PRESETS)}")
    preset = members["preset"].choice(PRESETS)
    given = value.fields(
        "preset",
        *preset.required,
        *preset.optional,
        "secret_arn",
        "secret_field",
        "rotation",
        *(("federation",) if preset.federation else ()),
        required=preset.required,
    )
    options = {option: _OPTIONS[option](given[option]) for option in given if option in _OPTIONS}
    if preset.federation and "federation" in given:
        options["federation"] = _federation(given["federation"], preset.federation)
    with blamed_on(value.path):
        upstream = preset.make(**options)
    return UpstreamEntry(upstream=upstream, secret_arn=_secret_arn(given.get("secret_arn"), upstream))


def _federation(value: JsonValue, kind: type[OpenAiFederation | AnthropicFederation]) -> object:
    """A federation, whose members are the fields of its class."""
    known = {field.name: field.default is MISSING for field in fields(kind)}
    given = value.fields(*known, required=tuple(name for name, required in known.items() if required))
    with blamed_on(value.path):
        return kind(**{name: member.text() for name, member in given.items()})


def _secret_arn(value: JsonValue | None, upstream: Upstream) -> str | None:
    if value is None:
        return None
    if not upstream.config.needs_key:
        raise ContextError(
            f"{value.path} has no use for an upstream without a stored key, got {value.value!r}; leave it, the auth or the "
            "federation out"
        )
    arn = value.text()
    if not _COMPLETE_ARN.fullmatch(arn):
        raise ContextError(
            f"{value.path} must be the complete ARN of a secret, with the six characters at its end, got {arn!r}; "
            "'aws secretsmanager describe-secret --secret-id <name>' prints it",
        )
    return arn
