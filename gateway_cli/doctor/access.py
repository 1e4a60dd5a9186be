"""What the function's role may do with the secrets, by IAM's own simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway_cli.doctor.findings import Finding, error, guarded, note, ok, skipped, warning
from gateway_cli.doctor.patient import Patient, UpstreamSecret

_READ, _DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
_ALLOWED = "allowed"
_NOT_SIMULATED = "IAM's simulation knows neither the key's own policy nor grants on it, so that it may work all the same"


def check_access(patient: Patient) -> Iterator[Finding]:
    """The function's role may read each secret, and decrypt it where its key is the user's own."""
    role = str(patient.main["Role"])
    secrets = [secret for secret in patient.secrets if secret.id]
    if not secrets:
        yield note("", "there is no secret to read")
    for secret in secrets:
        yield from guarded(_check(patient, secret, role), secret.upstream)


def _check(patient: Patient, secret: UpstreamSecret, role: str) -> Iterator[Finding]:
    read = _simulated(patient, role, _READ, secret.id)
    if read.get("EvalDecision") != _ALLOWED:
        yield error(secret.upstream, f"the function's role may not read its secret{_why(read)}", patient.deploy)
        return
    described = patient.client("secretsmanager").describe_secret(SecretId=secret.id)
    key = str(described.get("KmsKeyId") or "")
    if not key or key.endswith("aws/secretsmanager"):
        yield ok(secret.upstream, "the function's role may read its secret")
        return
    if not key.startswith("arn:"):
        yield skipped(
            secret.upstream, f"the function's role may read its secret; whose key {key!r} is no ARN, is not looked at"
        )
        return
    decrypt = _simulated(patient, role, _DECRYPT, key)
    if decrypt.get("EvalDecision") == _ALLOWED:
        yield ok(secret.upstream, "the function's role may read and decrypt its secret")
        return
    yield warning(
        secret.upstream,
        f"the function's role may read its secret but not decrypt it with {key}{_why(decrypt)}; {_NOT_SIMULATED}",
        patient.aws("kms", "get-key-policy", "--key-id", key),
        patient.deploy,
    )


def _simulated(patient: Patient, role: str, action: str, resource: str) -> Mapping[str, Any]:
    answer = patient.client("iam").simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=[action],
        ResourceArns=[resource],
        # The gateway's own permission to decrypt holds on the way through Secrets Manager only.
        ContextEntries=[
            {
                "ContextKeyName": "kms:ViaService",
                "ContextKeyValues": [f"secretsmanager.{patient.connection.session.region_name}.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ],
    )
    results: list[Mapping[str, Any]] = answer["EvaluationResults"]
    return results[0] if results else {}


def _why(result: Mapping[str, Any]) -> str:
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return ": a policy of the organization forbids it"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return ": its permissions boundary forbids it"
    return ": a policy forbids it" if result.get("EvalDecision") == "explicitDeny" else ": no policy of it allows that"
