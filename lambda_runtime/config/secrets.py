"""Secrets of upstreams: what the construct, the rotation function and the command line have to agree about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from lambda_runtime.config.formats import AuthStyle, WireFormat

STAGED_LABEL = "AIGATEWAY_STAGED"
"""Staging label of the version of an upstream's secret that holds its next key, until a rotation makes it the current one."""

ROTATION_VARIABLE = "AI_GATEWAY_ROTATION"
"""Environment variable of the rotation function: a JSON list of `RotatedSecret`."""

ROTATED_GATEWAY_VARIABLE = "AI_GATEWAY_FUNCTION"
"""Environment variable of the rotation function: name of the gateway's function, the metrics' dimension `Gateway`."""

SERVICE_ACCOUNT_FIELD = "serviceAccountId"
"""Field of a secret's JSON object that names the service account whose key it holds. Written by `openai_admin`."""

STAGED_CHECK = {"check": "staged"}
"""Event with which the rotation function looks at every secret and writes its metrics. Sent once a day."""

UNPREPARED_METRIC = "RotationUnprepared"
"""1 if a rotation is due soon and nothing is staged, else 0. Dimensions: Gateway, Upstream."""

FAILED_METRIC = "RotationFailed"
"""1 if a rotation failed or is overdue, 0 if all is well. Dimensions: Gateway, Upstream."""


class RotationKind(StrEnum):
    """Where the next key comes from."""

    STAGED = "staged"
    OPENAI_ADMIN = "openai_admin"


@dataclass(frozen=True, kw_only=True, slots=True)
class RotatedSecret:
    """What the rotation function has to know about a secret.

    Args:
        upstream: name of the upstream whose key it holds.
        secret: ARN of the secret; without the six random characters at its end where it was imported by its name.
        kind: where the next key comes from.
        field: field of the secret's JSON object that holds the key.
        url: where a key is tried: the upstream's list of models.
        auth: how the key is sent there.
        wire_format: the format that is spoken there.
        notice: seconds ahead of the due date from which nothing being staged is worth an alarm. 0: of no concern.
        project: OpenAI's project, for `RotationKind.OPENAI_ADMIN`.
        admin_secret: ARN of the secret with OpenAI's admin key, for `RotationKind.OPENAI_ADMIN`.
        admin_url: base URL of OpenAI's administration API.
    """

    upstream: str
    secret: str
    kind: RotationKind
    field: str
    url: str
    auth: AuthStyle
    wire_format: WireFormat
    notice: int = 0
    project: str = ""
    admin_secret: str = ""
    admin_url: str = ""

    def holds(self, secret_id: str) -> bool:
        """Whether an ARN, as Secrets Manager names it in its events, is this secret's."""
        random_end = 7  # a hyphen and six characters
        return secret_id == self.secret or (secret_id[:-random_end] == self.secret and secret_id[-random_end] == "-")


def rotation_json(secrets: Sequence[RotatedSecret]) -> str:
    """The value of `ROTATION_VARIABLE`. What is empty is left out: a function's variables have little room."""
    entries = [{name: value for name, value in asdict(secret).items() if value} for secret in secrets]
    return json.dumps(entries, separators=(",", ":"))


def read_rotation_json(text: str) -> tuple[RotatedSecret, ...]:
    """What `rotation_json` wrote."""
    return tuple(
        RotatedSecret(
            **{
                **entry,
                "kind": RotationKind(entry["kind"]),
                "auth": AuthStyle(entry["auth"]),
                "wire_format": WireFormat(entry["wire_format"]),
            }
        )
        for entry in json.loads(text)
    )
