"""The daily look at every rotation: whether the next key is there in time, and whether the last one came to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lambda_runtime import log
from lambda_runtime.config.secrets import FAILED_METRIC, STAGED_LABEL, UNPREPARED_METRIC, RotatedSecret, RotationKind
from lambda_runtime.rotation.metrics import write_metric
from lambda_runtime.rotation.versions import CURRENT, PENDING, read_value
from lambda_runtime.secret_value import key_in

_OVERDUE = timedelta(days=1)
"""Secrets Manager rotates at any time of the day on which a rotation is due."""


def check_all(secrets: Sequence[RotatedSecret], client: Any) -> dict[str, list[str]]:
    """Look at every rotation and write its metrics.

    Args:
        secrets: what is rotated.
        client: boto3's, of Secrets Manager.

    Returns:
        Names of the upstreams whose rotation is `unprepared` and `failed`.
    """
    found: dict[str, list[str]] = {"unprepared": [], "failed": []}
    for secret in secrets:
        try:
            _check(secret, client, found)
        except Exception as error:  # noqa: BLE001  the other secrets are looked at all the same
            log.error(f"the rotation cannot be looked at: {type(error).__name__}: {error}", upstream=secret.upstream)
            found["failed"].append(secret.upstream)
            write_metric(FAILED_METRIC, secret.upstream, value=True)
    return found


def _check(secret: RotatedSecret, client: Any, found: dict[str, list[str]]) -> None:
    described = client.describe_secret(SecretId=secret.secret)
    due: datetime | None = described.get("NextRotationDate")
    now = datetime.now(UTC)
    if not described.get("RotationEnabled"):
        _failed(secret, found, "the rotation is switched off; deploy the gateway again to switch it on")
    elif due is not None and now > due + _OVERDUE:
        _failed(secret, found, f"the rotation was due on {due:%Y-%m-%d} and has not come to its end; the log says why")
    elif not _is_under_way(described):
        write_metric(FAILED_METRIC, secret.upstream, value=False)
    if secret.kind is RotationKind.STAGED:
        soon = due is None or now > due - timedelta(seconds=secret.notice)
        unprepared = soon and not _has_next(secret, client)
        write_metric(UNPREPARED_METRIC, secret.upstream, value=unprepared)
        if unprepared:
            found["unprepared"].append(secret.upstream)
            when = "" if due is None else f" on {due:%Y-%m-%d}"
            log.warning(
                f"a rotation is due{when} and no next key is staged: ai-gateway credentials stage {secret.upstream}",
                upstream=secret.upstream,
            )


def _failed(secret: RotatedSecret, found: dict[str, list[str]], why: str) -> None:
    log.error(why, upstream=secret.upstream)
    found["failed"].append(secret.upstream)
    write_metric(FAILED_METRIC, secret.upstream, value=True)


def _is_under_way(described: dict[str, Any]) -> bool:
    """Whether a version waits to become the current one: now, or since a failure that nobody has to be told again is over."""
    versions = described.get("VersionIdsToStages") or {}
    return any(PENDING in labels and CURRENT not in labels for labels in versions.values())


def _has_next(secret: RotatedSecret, client: Any) -> bool:
    """Whether a key is staged that is not the current one."""
    staged = key_in(read_value(client, secret.secret, STAGED_LABEL), secret.field)
    return staged is not None and staged != key_in(read_value(client, secret.secret, CURRENT), secret.field)
