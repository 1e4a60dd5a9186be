"""The table in which function instances share what they know."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_cli.doctor.findings import Finding, error, guarded, note, ok, skipped, warning
from gateway_cli.doctor.patient import Patient
from lambda_runtime.state.items import EXPIRES

_ON = frozenset({"ENABLED", "ENABLING"})


def check_table(patient: Patient) -> Iterator[Finding]:
    """The table is there and active, and what has expired in it goes by itself."""
    name = patient.table
    if not name:
        yield note("", "the gateway has no table (resilience=False): instances share nothing, and nobody counts tokens")
        return
    dynamodb = patient.client("dynamodb")
    try:
        table = dynamodb.describe_table(TableName=name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        yield error(
            name,
            "the table does not exist, so that instances share nothing and nobody counts tokens. CloudFormation makes it anew "
            "when it is removed (resilience=False), deployed, and added again",
            patient.deploy,
        )
        return
    status = table.get("TableStatus", "ACTIVE")
    if status == "ACTIVE":
        yield ok(name, "active")
    else:
        describe = patient.aws("dynamodb", "describe-table", "--table-name", name, "--query", "Table.TableStatus")
        kind = error if status in {"DELETING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVED"} else warning
        yield kind(name, f"the table is not active, but {status}", describe)
    yield from guarded(_check_ttl(patient, name), name)


def _check_ttl(patient: Patient, name: str) -> Iterator[Finding]:
    if patient.is_local:
        yield skipped(name, "the embedded AWS does not keep a table's TTL")
        return
    described = patient.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if described.get("TimeToLiveStatus") in _ON and described.get("AttributeName") == EXPIRES:
        yield ok(name, "what has expired goes by itself")
        return
    specification = f"Enabled=true,AttributeName={EXPIRES}"
    yield warning(
        name,
        "its TTL is off, so that counts of past minutes stay and cost",
        patient.aws("dynamodb", "update-time-to-live", "--table-name", name, "--time-to-live-specification", specification),
    )
