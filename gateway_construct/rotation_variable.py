"""What the rotation function is told about the secrets that it rotates, in an environment variable."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_cdk.aws_secretsmanager import ISecret

from gateway_construct.rotation import Rotation
from lambda_runtime.config import AuthStyle, Endpoint, UpstreamConfig, WireFormat
from lambda_runtime.config.secrets import RotatedSecret, RotationKind, rotation_json

_ADMIN_URL = "https://api.openai.com/v1"
_BYTES = 4096
_TOKEN = re.compile(r"\$\{Token\[[^]]*\]\}")
_TYPICAL_ARN = "x" * 130
"""Stands for an ARN that is known at deployment only."""


def rotation_variable(
    rotations: Mapping[str, Rotation], upstreams: Mapping[str, UpstreamConfig], secrets: Mapping[str, ISecret]
) -> str:
    """The variable's value.

    Args:
        rotations: the rotation of each upstream that has one, by its name.
        upstreams: their configuration, by name.
        secrets: their secrets, by name.

    Raises:
        ValueError: if two upstreams share a secret, or Lambda would not take the variable.
    """
    _require_one_each(rotations, secrets)
    rotated = [_rotated(upstreams[name], rotation, secrets[name]) for name, rotation in rotations.items()]
    text = rotation_json(rotated)
    size = len(_TOKEN.sub(_TYPICAL_ARN, text).encode())
    # The other variable is a name and a function's name.
    room = _BYTES - 128
    if size > room:
        raise ValueError(
            f"rotation: what the rotation function must know about {len(rotated)} upstreams takes about {size} bytes, and its "
            f"variables hold {room}; leave rotation out for some of them, or give those to a gateway of their own"
        )
    return text


def _rotated(upstream: UpstreamConfig, rotation: Rotation, secret: ISecret) -> RotatedSecret:
    endpoint = _tried_at(upstream)
    return RotatedSecret(
        upstream=upstream.name,
        secret=secret.secret_arn,
        kind=rotation.kind,
        field=upstream.secret_field,
        url=endpoint.models_url,
        auth=endpoint.auth,
        wire_format=endpoint.wire_format,
        notice=rotation.notice_seconds,
        project=rotation.project or "",
        admin_secret=rotation.admin_secret.secret_arn if rotation.admin_secret else "",
        admin_url=_ADMIN_URL if rotation.kind is RotationKind.OPENAI_ADMIN else "",
    )


def _tried_at(upstream: UpstreamConfig) -> Endpoint:
    """Where the gateway asks for models, too: the endpoint of OpenAI's format if there is one."""
    keyed = [endpoint for endpoint in upstream.endpoints if endpoint.auth is not AuthStyle.NONE]
    return next((endpoint for endpoint in keyed if endpoint.wire_format is WireFormat.OPENAI), keyed[0])


def _require_one_each(rotations: Mapping[str, Rotation], secrets: Mapping[str, ISecret]) -> None:
    """Secrets Manager knows one rotation for a secret."""
    names: dict[str, str] = {}
    for name in rotations:
        other = names.setdefault(secrets[name].secret_arn, name)
        if other != name:
            raise ValueError(
                f"upstreams {other!r} and {name!r} share a secret, which can be rotated for one of them only; give rotation to "
                "one (the other takes the new key as well), or each its own secret"
            )
