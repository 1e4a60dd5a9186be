"""The alias that requests come through, and the versions behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway_cli.doctor.findings import Finding, error, ok, warning
from gateway_cli.doctor.patient import ALIAS, MissingAliasError, Patient
from gateway_cli.release.model import percent

_FAILED, _INACTIVE = "Failed", "Inactive"
_WELL = "Successful"


def check_alias(patient: Patient) -> Iterator[Finding]:
    """The alias is there, and its versions exist, are active, and are what Lambda lets share an alias."""
    try:
        live = patient.live
    except MissingAliasError as problem:
        newest = newest_version(patient)
        make = (
            "lambda",
            "create-alias",
            "--function-name",
            patient.function,
            "--name",
            ALIAS,
            "--function-version",
            str(newest),
        )
        yield error("", f"{problem}, so that no request is answered", patient.aws(*make) if newest else patient.deploy)
        return
    shares = {version: f", {percent(share)} of the requests" for version, share in patient.weights.items()}
    for version in live:
        yield _check(patient, version, shares.get(version, ""))
    configurations = {version: found for version in live if (found := patient.version(version))}
    yield from _differences(patient, configurations)


def newest_version(patient: Patient) -> int:
    """The version that was published last; 0 if there is none."""
    pages = patient.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=patient.function)
    numbers = [version["Version"] for page in pages for version in page["Versions"]]
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


def _check(patient: Patient, version: str, share: str) -> Finding:
    subject, found = f"version {version}", patient.version(version)
    if found is None:
        text = f"the alias {ALIAS!r} names it, and it does not exist{share}"
        return error(subject, text, *_away_from(patient, version))
    state, reason = found.get("State", "Active"), found.get("StateReason") or ""
    if state == _FAILED or found.get("LastUpdateStatus", _WELL) == _FAILED:
        reason = reason or found.get("LastUpdateStatusReason") or ""
        return error(subject, f"it cannot run{share}: {reason}".rstrip(": "), *_away_from(patient, version))
    if state == _INACTIVE:
        # Lambda takes back what functions in a VPC have when nobody calls them for weeks.
        return warning(
            subject,
            f"it has been idle for so long that Lambda has put it away{share}; the first request fails and wakes it",
            patient.own("smoke", "gateway"),
        )
    if state != "Active":
        return warning(subject, f"its state is {state}{share}: {reason}".rstrip(": "), patient.own("doctor"))
    return ok(subject, f"active{share}")


def _away_from(patient: Patient, version: str) -> tuple[str, ...]:
    """The command that takes its requests from a version, as far as it can be known where they may go instead."""
    alias = ("lambda", "update-alias", "--function-name", patient.function, "--name", ALIAS)
    if version in patient.weights:
        return (patient.aws(*alias, "--routing-config", '{"AdditionalVersionWeights":{}}'),)
    others = [other for other in patient.weights if patient.version(other)]
    fallback = others[0] if others else str(newest_version(patient) or "<version>")
    return (
        patient.aws("lambda", "list-versions-by-function", "--function-name", patient.function),
        patient.aws(*alias, "--function-version", fallback, "--routing-config", '{"AdditionalVersionWeights":{}}'),
    )


def _differences(patient: Patient, configurations: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """What must be equal for two versions to share an alias: Lambda refuses the release of one that differs from the stable."""
    newest = str(newest_version(patient))
    found = patient.version(newest)
    compared = {**configurations, **({newest: found} if found else {})}
    stable = patient.live[0]
    if stable not in compared:
        return
    for version, configuration in compared.items():
        for what, of_it, of_stable in (
            ("role", configuration.get("Role"), compared[stable].get("Role")),
            ("dead-letter queue", _dead_letters(configuration), _dead_letters(compared[stable])),
        ):
            if of_it != of_stable:
                yield warning(
                    f"version {version}",
                    f"its {what} is not that of version {stable} ({of_it or 'none'} instead of {of_stable or 'none'}): the two "
                    "cannot share the alias, so that it cannot be released step by step; give it all requests at once",
                    patient.aws(
                        *("lambda", "update-alias", "--function-name", patient.function, "--name", ALIAS),
                        *("--function-version", version, "--routing-config", '{"AdditionalVersionWeights":{}}'),
                    ),
                )


def _dead_letters(configuration: Mapping[str, Any]) -> str:
    return str((configuration.get("DeadLetterConfig") or {}).get("TargetArn") or "")
