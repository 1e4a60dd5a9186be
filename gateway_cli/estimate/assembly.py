"""Reads out of a cloud assembly what a gateway is made of, so that the estimate is of the user's own gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_cli.aws.connection import is_named
from gateway_cli.aws.gateways import API_TAG, FUNCTION_TAG
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.local.assembly import Stack, read_assembly
from gateway_cli.local.errors import LocalGatewayError
from gateway_prices.metrics import metric_count
from gateway_prices.traffic import Deployment
from lambda_runtime.config import CONFIG_FILE, LIMITS_VARIABLE, TABLE_VARIABLE, GatewayConfig

_HANDLER = "lambda_runtime.handler.handler"
_FUNCTION_ID = re.compile(r"(.*)Function[0-9A-F]{8}")
"""The logical id that the CDK gives to a gateway's function: it begins as those of all that belongs to the gateway."""

_MINUTE = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthesizedGateway:
    """A gateway of an assembly.

    Args:
        path: of its construct; its stack's name if the template does not tell.
        deployment: what it is made of.
        config: what it is configured with; None if its code is not there.
    """

    path: str
    deployment: Deployment
    config: GatewayConfig | None


def read_gateway(assembly: Path, gateway: str | None) -> SynthesizedGateway:
    """The gateway that the options mean.

    Args:
        assembly: the directory that `cdk synth` wrote.
        gateway: path of its construct, or the end of it. None: the only one.

    Raises:
        CommandError: if there is no assembly, or no such gateway in it, or several.
    """
    try:
        stacks = read_assembly(assembly)
    except LocalGatewayError as error:
        raise CommandError(str(error), status=MISTAKEN) from None
    found = [(stack, name) for stack in stacks for name in _functions(stack)]
    paths = [_path(stack, name) for stack, name in found]
    chosen = [one for one, path in zip(found, paths, strict=True) if is_named(path, gateway)]
    if len(chosen) != 1:
        there = f"has these gateways: {', '.join(sorted(paths))}; name one with --gateway" if paths else "has no gateway"
        raise CommandError(f"the cloud assembly at {str(assembly)!r} {there}", status=MISTAKEN)
    return _read(*chosen[0])


def _functions(stack: Stack) -> Iterator[str]:
    for name, resource in stack.resources.items():
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"].get("Handler") == _HANDLER:
            yield name


def _path(stack: Stack, function: str) -> str:
    """The path that the gateway's REST API is tagged with."""
    for api in _of(list(stack.resources.values()), "AWS::ApiGateway::RestApi"):
        tags = {tag["Key"]: tag["Value"] for tag in api.get("Tags", [])}
        if tags.get(FUNCTION_TAG) == {"Ref": function} and isinstance(tags.get(API_TAG), str):
            return str(tags[API_TAG])
    return stack.name


def _own(stack: Stack, function: str) -> list[dict[str, Any]]:
    """What belongs to the gateway of a function, in a stack that may hold other things, and other gateways."""
    beginnings = {match[1] for name in _functions(stack) if (match := _FUNCTION_ID.fullmatch(name))}
    match = _FUNCTION_ID.fullmatch(function)
    if match is None:
        return list(stack.resources.values())
    return [
        resource
        for name, resource in stack.resources.items()
        if max((one for one in beginnings if name.startswith(one)), key=len, default=None) == match[1]
    ]


def _read(stack: Stack, function: str) -> SynthesizedGateway:
    properties = stack.resources[function]["Properties"]
    variables = properties.get("Environment", {}).get("Variables", {})
    own = _own(stack, function)
    slow, fast = _alarm_metrics(own)
    config = _config(stack, properties)
    table = TABLE_VARIABLE in variables
    defaults = Deployment()
    return SynthesizedGateway(
        path=_path(stack, function),
        deployment=Deployment(
            memory_mb=_known(properties.get("MemorySize"), defaults.memory_mb),
            architecture=(properties.get("Architectures") or [defaults.architecture])[0],
            secrets=len(_of(own, "AWS::SecretsManager::Secret")),
            # A secret that somebody else has made is read, too, but it is on another bill.
            secrets_read=None if config is None else sum(upstream.needs_key for upstream in config.upstreams),
            table=table,
            budgets=variables.get(LIMITS_VARIABLE) == "1",
            waf_rules=sum(len(acl.get("Rules", [])) for acl in _of(own, "AWS::WAFv2::WebACL")),
            metrics=defaults.metrics if config is None else _metrics(config, own, circuits=table),
            alarm_metrics=slow,
            fast_alarm_metrics=fast,
            dashboards=len(_of(own, "AWS::CloudWatch::Dashboard")),
        ),
        config=config,
    )


def _metrics(config: GatewayConfig, own: list[dict[str, Any]], *, circuits: bool) -> int:
    # Two versions take requests at the same time while state machines release one.
    versions = 2 if _of(own, "AWS::StepFunctions::StateMachine") else 1
    rotated = len(_of(own, "AWS::SecretsManager::RotationSchedule"))
    return metric_count(config, circuits=circuits, versions=versions, rotated=rotated)


def _of(resources: list[dict[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    return [resource.get("Properties", {}) for resource in resources if resource["Type"] == kind]


def _alarm_metrics(resources: list[dict[str, Any]]) -> tuple[int, int]:
    """How many metrics alarms look at: by the minute or slower, and more often."""
    periods: list[float] = []
    for alarm in _of(resources, "AWS::CloudWatch::Alarm"):
        looked_at = [one["MetricStat"] for one in alarm.get("Metrics", []) if "MetricStat" in one] or [alarm]
        periods += [float(one.get("Period", _MINUTE)) for one in looked_at]
    fast = sum(period < _MINUTE for period in periods)
    return len(periods) - fast, fast


def _known(value: Any, otherwise: int) -> int:
    """A number of the template; what else stands there is known only when it is deployed."""
    return value if isinstance(value, int) else otherwise


def _config(stack: Stack, properties: Mapping[str, Any]) -> GatewayConfig | None:
    key = properties.get("Code", {}).get("S3Key")
    for asset in stack.assets:
        if asset.key == key and (asset.path / CONFIG_FILE).is_file():
            try:
                return GatewayConfig.from_json((asset.path / CONFIG_FILE).read_text("utf-8"))
            except (ValueError, KeyError, TypeError):  # another version of the library wrote it
                return None
    return None
