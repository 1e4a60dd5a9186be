"""The rotation of upstreams' keys: switched on, in time, and with something to rotate to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway_cli.aws.log_groups import log_group
from gateway_cli.doctor.findings import Finding, UnknownFactError, error, guarded, note, ok, warning
from gateway_cli.doctor.patient import Patient
from lambda_runtime.config.secrets import ROTATION_VARIABLE, STAGED_LABEL, RotatedSecret, RotationKind, read_rotation_json

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
_OVERDUE = timedelta(days=1)
"""Secrets Manager rotates at any time of the day on which a rotation is due."""

_LONGEST = timedelta(hours=1)
"""That a rotation takes, new keys that become known slowly included."""


def check_rotation(patient: Patient) -> Iterator[Finding]:
    """Each rotation that the gateway was given is on, not overdue, not stuck, and has a next key in time."""
    if not patient.gateway.rotation:
        yield note("", "no key is rotated by schedule")
        return
    function = patient.client("lambda").get_function_configuration(FunctionName=patient.gateway.rotation)
    text = (function.get("Environment") or {}).get("Variables", {}).get(ROTATION_VARIABLE, "[]")
    try:
        secrets = read_rotation_json(text)
    except (ValueError, KeyError, TypeError) as problem:
        # Another version of the library may have written it.
        raise UnknownFactError(f"what {patient.gateway.rotation} rotates cannot be read ({problem})") from None
    logs = patient.aws("logs", "tail", log_group(function), "--since", "2d")
    for secret in secrets:
        yield from guarded(_check(patient, secret, logs), secret.upstream)


def _check(patient: Patient, secret: RotatedSecret, logs: str) -> Iterator[Finding]:
    described = patient.client("secretsmanager").describe_secret(SecretId=secret.secret)
    if not described.get("RotationEnabled"):
        # Without a function and a schedule it takes those that it had.
        switch_on = ("rotate-secret", "--secret-id", secret.secret, "--no-rotate-immediately")
        yield error(secret.upstream, "its rotation is switched off", patient.aws("secretsmanager", *switch_on))
        return
    now, due = datetime.now(UTC), described.get("NextRotationDate")
    if _is_stuck(patient, secret, described, now):
        text = "its last rotation failed; the current key stays. The log says why"
        yield error(secret.upstream, text, logs, patient.own("credentials", "rotate", secret.upstream, "--again"))
    elif due is not None and now > due + _OVERDUE:
        text = f"its rotation was due on {due:%Y-%m-%d}; the log says why it was not done"
        yield error(secret.upstream, text, logs, patient.own("credentials", "rotate", secret.upstream))
    else:
        when = "" if due is None else f", the next one by {due:%Y-%m-%d}"
        yield ok(secret.upstream, f"rotated by schedule ({secret.kind.value}){when}")
    if secret.kind is RotationKind.STAGED and not _has_label(described, STAGED_LABEL):
        stage = patient.own("credentials", "stage", secret.upstream)
        text = "no next key is staged" + ("" if due is None else f" for the rotation by {due:%Y-%m-%d}")
        near = not patient.is_local and (due is None or now > due - timedelta(seconds=secret.notice))
        yield warning(secret.upstream, text, stage) if near else note(secret.upstream, text, stage)


def _is_stuck(patient: Patient, secret: RotatedSecret, described: Mapping[str, Any], now: datetime) -> bool:
    """Whether a rotation has left a version behind that did not come to its end, and will not any more."""
    versions: Mapping[str, list[str]] = described.get("VersionIdsToStages") or {}
    waiting = {version for version, labels in versions.items() if _PENDING in labels and _CURRENT not in labels}
    if not waiting:
        return False
    # One page has more than a secret's versions with labels: the others are not listed.
    listed = patient.client("secretsmanager").list_secret_version_ids(SecretId=secret.secret, MaxResults=100)["Versions"]
    return any(version["VersionId"] in waiting and now > version["CreatedDate"] + _LONGEST for version in listed)


def _has_label(described: Mapping[str, Any], label: str) -> bool:
    return any(label in labels for labels in (described.get("VersionIdsToStages") or {}).values())
