"""The app's configuration: the block `ai-gateway` of cdk.json's context, checked before anything is built from it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway_app.json_value import ContextError, JsonValue, nearest
from gateway_app.models import targets_of
from gateway_app.plans import read_plan
from gateway_app.prices import require_priced_upstreams_exist
from gateway_app.settings import SETTINGS
from gateway_app.upstreams import UpstreamEntry, read_upstream
from gateway_construct import Plan

KEY = "ai-gateway"
"""Name of the block in the context."""

PARTS = ("stack_name", "upstreams", "plans", "consumers", "domain", "alarm_topic_arn")
"""What the block may say besides `SETTINGS`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DomainEntry:
    """A custom domain, its certificate and hosted zone given by their ids.

    Args:
        name: the domain name.
        certificate_arn: of a certificate in the gateway's Region.
        hosted_zone_id: zone that gets the record. Default: no record is written.
        hosted_zone_name: the zone's name; given together with its id.
        disable_default_endpoint: whether the `execute-api` address is switched off. Default: False.
    """

    name: str
    certificate_arn: str
    hosted_zone_id: str | None = None
    hosted_zone_name: str | None = None
    disable_default_endpoint: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AppContext:
    """What the context block says. Settings that it leaves out keep the defaults of `AiGateway`.

    Args:
        stack_name: of the one stack. Default: "AiGateway".
        upstreams: in order of preference.
        consumers: plan of each consumer, by the consumer's name.
        settings: further keyword arguments of `AiGateway`; only what the block names.
        domain: custom domain. Default: none.
        alarm_topic_arn: SNS topic that is told of alarms. Default: none.
    """

    stack_name: str
    upstreams: tuple[UpstreamEntry, ...]
    consumers: Mapping[str, Plan]
    settings: Mapping[str, Any]
    domain: DomainEntry | None = None
    alarm_topic_arn: str | None = None


def read_context(block: object) -> AppContext:
    """Read and check the block.

    Args:
        block: a JSON object, or its text as `cdk synth -c ai-gateway='{...}'` gives it.

    Raises:
        ContextError: at the first thing that is wrong.
    """
    value = JsonValue(KEY, _parsed(block))
    given = value.fields(*PARTS, *SETTINGS, required=("upstreams",))
    upstreams = _upstreams(given["upstreams"])
    plans = {name: read_plan(plan) for name, plan in given["plans"].members().items()} if "plans" in given else {}
    settings = {setting.prop: setting.read(given[name]) for name, setting in SETTINGS.items() if name in given}
    if "models" in given:
        _require_upstreams_exist(given["models"], upstreams)
    if "prices" in given:
        require_priced_upstreams_exist(given["prices"], tuple(entry.upstream.name for entry in upstreams))
    return AppContext(
        stack_name=_stack_name(given["stack_name"]) if "stack_name" in given else "AiGateway",
        upstreams=upstreams,
        consumers=_consumers(given["consumers"], plans) if "consumers" in given else {},
        settings=settings,
        domain=_domain(given["domain"]) if "domain" in given else None,
        alarm_topic_arn=_topic_arn(given["alarm_topic_arn"]) if "alarm_topic_arn" in given else None,
    )


def _parsed(block: object) -> object:
    if block is None:
        raise ContextError(
            f"{KEY} is missing from the context, got None; run from the directory of cdk.json, which holds an example, "
            f'or give the block: cdk synth -c {KEY}=\'{{"upstreams": ["openai"]}}\'',
        )
    if not isinstance(block, str):
        return block
    try:
        return json.loads(block)
    except json.JSONDecodeError as error:
        raise ContextError(f"{KEY} must be a JSON object, got {block!r}: {error}; quote it for the shell with '...'") from error


def _require_upstreams_exist(models: JsonValue, upstreams: tuple[UpstreamEntry, ...]) -> None:
    names = tuple(entry.upstream.name for entry in upstreams)
    for path, target in targets_of(models):
        if target.upstream not in names:
            raise ContextError(
                f"{path} names an upstream that is not configured, got {target.name!r}; {nearest(target.upstream, names)}",
            )


def _stack_name(value: JsonValue) -> str:
    name = value.text()
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise ContextError(f"{value.path} must be 1 to 128 letters, digits or hyphens and start with a letter, got {name!r}")
    return name


def _upstreams(value: JsonValue) -> tuple[UpstreamEntry, ...]:
    entries: dict[str, UpstreamEntry] = {}
    for item in value.items():
        entry = read_upstream(item)
        name = entry.upstream.name
        if name in entries:
            raise ContextError(
                f'{item.path}: the name {name!r} is taken; add a name of its own, for example "name": "{name}-2"'
            )
        entries[name] = entry
    if not entries:
        raise ContextError(f'{value.path} must not be empty, got []; give at least one, for example ["openai"]')
    return tuple(entries.values())


def _consumers(value: JsonValue, plans: Mapping[str, Plan]) -> dict[str, Plan]:
    consumers = {name: plan.choice(plans) for name, plan in value.members().items()}
    ids: dict[str, str] = {}
    for name in consumers:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", name):
            raise ContextError(
                f"{value.path}: a consumer's name must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores and "
                f"start with a letter or digit, got {name!r}",
            )
        other = ids.setdefault(output_id(name), name)
        if other != name:
            raise ContextError(f"{value.path}: {name!r} and {other!r} differ in punctuation only; rename one")
    return consumers


def output_id(name: str) -> str:
    """A consumer's or an upstream's name as part of an output's id: `team-search` becomes `TeamSearch`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _domain(value: JsonValue) -> DomainEntry:
    strings = ("name", "certificate_arn", "hosted_zone_id", "hosted_zone_name")
    given = value.fields(*strings, "disable_default_endpoint", required=("name", "certificate_arn"))
    if ("hosted_zone_id" in given) != ("hosted_zone_name" in given):
        raise ContextError(
            f"{value.path}: hosted_zone_id and hosted_zone_name belong together, got {value.value!r}; give both or neither"
        )
    return DomainEntry(
        **{name: given[name].text() for name in strings if name in given},
        disable_default_endpoint="disable_default_endpoint" in given and given["disable_default_endpoint"].flag(),
    )


def _topic_arn(value: JsonValue) -> str:
    arn = value.text()
    if not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", arn):
        raise ContextError(
            f"{value.path} must be the ARN of an SNS topic in the gateway's Region, got {arn!r}; see 'aws sns list-topics'"
        )
    return arn
