"""Whether the alias's weights and the release that should move them agree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway_cli.doctor.findings import Finding, note, ok, warning
from gateway_cli.doctor.patient import Patient
from gateway_cli.doctor.versions import newest_version
from gateway_cli.release.model import percent


def check_release(patient: Patient) -> Iterator[Finding]:
    """Weights are those of a release under way, and a release under way has weights; which version waits."""
    running = _running(patient)
    weights = patient.weights
    for version, share in weights.items():
        yield _of_weight(patient, version, f"{percent(share)} of the requests", running)
    if running and not weights:
        yield warning(
            f"version {_version_of(patient, running)}",
            "its release runs, and it gets no request. That is so for seconds at a release's start and end; "
            "look again, and end it if it stays so",
            patient.own("release", "status"),
            patient.own("release", "rollback"),
        )
    newest = str(newest_version(patient))
    if newest != "0" and newest not in patient.live and not running:
        yield note(
            f"version {newest}",
            "it is the newest, and gets no request: it was taken back, or never released",
            # A deployment that changes nothing moves nothing.
            patient.own("release", "start" if patient.gateway.release else "promote", newest),
        )
    if not weights and not running:
        yield ok("", f"no release is under way; version {patient.live[0]} gets every request")


def _of_weight(patient: Patient, version: str, share: str, running: list[Mapping[str, Any]]) -> Finding:
    subject = f"version {version}"
    if running:
        released = _version_of(patient, running)
        if released in {version, "?"}:
            return ok(subject, f"{share}, its release is under way")
        return warning(
            subject,
            f"it gets {share}, but the release that runs is of version {released}",
            patient.own("release", "status"),
        )
    if not patient.gateway.release:
        return note(subject, f"it gets {share}, as the app says (Weighted)")
    return warning(
        subject,
        f"it gets {share}, and no release runs that would move it: promote it or take it back",
        patient.own("release", "promote"),
        patient.own("release", "rollback"),
    )


def _running(patient: Patient) -> list[Mapping[str, Any]]:
    if not patient.gateway.release:
        return []
    states = patient.client("stepfunctions")
    answer = states.list_executions(stateMachineArn=patient.gateway.release, statusFilter="RUNNING")
    found: list[Mapping[str, Any]] = answer["executions"]
    return found


def _version_of(patient: Patient, running: list[Mapping[str, Any]]) -> str:
    """The version that a release is of; `?` if its input does not say."""
    described = patient.client("stepfunctions").describe_execution(executionArn=running[0]["executionArn"])
    try:
        return str(json.loads(described["input"])["version"])
    except (ValueError, KeyError, TypeError):
        return "?"
