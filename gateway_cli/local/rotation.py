"""Fits the rotation function of a deployed gateway to this machine: which secrets are here, and who answers for upstreams."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway_cli.aws.gateways import ROTATION_TAG
from gateway_cli.console import Output
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.rest_api_model import RestApi
from gateway_cli.local.upstreams import UpstreamPlan
from lambda_runtime.config import GatewayConfig
from lambda_runtime.config.secrets import ROTATION_VARIABLE, RotatedSecret, RotationKind, read_rotation_json, rotation_json

_PREVIOUS = "AWSPREVIOUS"


def prepare_rotation(emulator: Emulator, api: RestApi, plan: UpstreamPlan, config: GatewayConfig, output: Output) -> None:
    """Let the rotation function try keys where the local gateway sends them, and switch the rotations on.

    Their schedules are left out of what is deployed here; `ai-gateway credentials rotate --local` carries rotations out.

    Args:
        emulator: where the gateway is deployed.
        api: its REST API.
        plan: who answers for which upstream.
        config: the gateway's, as the workers run it.
        output: takes a notice for a rotation that cannot work here.
    """
    tags = emulator.client("apigateway", region=api.region).get_rest_api(restApiId=api.api_id).get("tags") or {}
    if ROTATION_TAG not in tags:
        return
    functions = emulator.client("lambda", region=api.region)
    secretsmanager = emulator.client("secretsmanager", region=api.region)
    function = functions.get_function_configuration(FunctionName=tags[ROTATION_TAG])
    variables = (function.get("Environment") or {}).get("Variables") or {}
    stood_in = {upstream.name for upstream in config.upstreams if plan.is_stood_in(upstream)}
    fitted = []
    for rotation in read_rotation_json(variables.get(ROTATION_VARIABLE, "[]")):
        if rotation.upstream in stood_in and rotation.kind is RotationKind.OPENAI_ADMIN:
            output.notice(
                f"the key of {rotation.upstream} is not rotated here: nobody stands in for OpenAI's administration API"
            )
            continue
        secret = secret_here(secretsmanager, rotation.secret)
        fitted.append(replace(rotation, secret=secret, url=_url(rotation, config)))
        _switch_on(secretsmanager, secret, function["FunctionArn"])
    changed = {**variables, ROTATION_VARIABLE: rotation_json(fitted)}
    if changed != variables:
        functions.update_function_configuration(FunctionName=tags[ROTATION_TAG], Environment={"Variables": changed})


def secret_here(secretsmanager: Any, secret_id: str) -> str:
    """What a secret is called in the embedded AWS.

    Args:
        secretsmanager: boto3 client of it.
        secret_id: as a function was told. One that lives outside of the stacks has another ARN here, and the same name.
    """
    name = secret_id.rpartition(":secret:")[2]
    for known in (secret_id, name):
        try:
            secretsmanager.describe_secret(SecretId=known)
        except secretsmanager.exceptions.ResourceNotFoundException:
            continue
        return known
    return secret_id


def _url(rotation: RotatedSecret, config: GatewayConfig) -> str:
    """Where the upstream that answers here lists its models."""
    endpoints = (e for upstream in config.upstreams if upstream.name == rotation.upstream for e in upstream.endpoints)
    alike = (e.models_url for e in endpoints if (e.wire_format, e.auth) == (rotation.wire_format, rotation.auth))
    return next(alike, rotation.url)


def _switch_on(secretsmanager: Any, secret_id: str, function: str) -> None:
    """Have a secret rotated, as its schedule would.

    The embedded AWS makes a copy of the current value the current version at once, and calls nobody.
    """
    try:
        described = secretsmanager.describe_secret(SecretId=secret_id)
    except secretsmanager.exceptions.ResourceNotFoundException:
        return
    if described.get("RotationEnabled"):
        return
    secretsmanager.rotate_secret(SecretId=secret_id, RotationLambdaARN=function, RotateImmediately=False)
    for version, labels in secretsmanager.describe_secret(SecretId=secret_id)["VersionIdsToStages"].items():
        if _PREVIOUS in labels:
            # The same value once more, which is nothing to go back to.
            secretsmanager.update_secret_version_stage(SecretId=secret_id, VersionStage=_PREVIOUS, RemoveFromVersionId=version)
