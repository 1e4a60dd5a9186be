"""Where Lambda begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from lambda_runtime.config.secrets import ROTATION_VARIABLE, STAGED_CHECK, read_rotation_json
from lambda_runtime.rotation.check import check_all
from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.rotation.pause import Pause
from lambda_runtime.rotation.rotate import rotate

_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[str]] | None:
    """Take a step of a rotation, or look at all of them.

    Args:
        event: Secrets Manager's for a step, or `STAGED_CHECK`.
        context: Lambda's.

    Returns:
        What the look has found. None after a step.

    Raises:
        RotationError: if the rotation cannot go on, or the event is neither.
    """
    secrets = read_rotation_json(os.environ[ROTATION_VARIABLE])
    client = boto3.client("secretsmanager", config=_CONFIG)
    if "Step" in event:
        rotate(event, secrets, client, Pause(context))
        return None
    if event.get("check") == STAGED_CHECK["check"]:
        return check_all(secrets, client)
    raise RotationError(f"the event is neither a step of Secrets Manager nor {STAGED_CHECK}; it has the fields {sorted(event)}")
