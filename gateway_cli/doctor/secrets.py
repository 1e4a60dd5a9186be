"""The upstreams' secrets: each exists and holds a key that can be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.doctor.findings import Finding, error, guarded, note, ok
from gateway_cli.doctor.patient import Patient, UpstreamSecret
from lambda_runtime.secret_value import SecretProblem, key_from_secret

_UNREADABLE = frozenset({"DecryptionFailure", "InvalidRequestException", "InternalServiceError"})
_NOT_FOUND = "ResourceNotFoundException"


def check_secrets(patient: Patient) -> Iterator[Finding]:
    """Each upstream's secret exists, is not about to be deleted, and holds a key in the configured field."""
    secrets = patient.secrets
    if not secrets:
        yield note("", "no upstream has a stored key")
    for secret in secrets:
        yield from guarded(_check(patient, secret), secret.upstream)


def key_command(patient: Patient, secret: UpstreamSecret) -> str:
    """The command that puts an upstream's key in, which it asks for."""
    return patient.own("credentials", "set", secret.upstream)


def read_secret(patient: Patient, secret: UpstreamSecret) -> str:
    """An upstream's key.

    Raises:
        SecretProblem: if there is none.
        ClientError: if AWS refuses to tell.
    """
    answer: dict[str, Any] = patient.client("secretsmanager").get_secret_value(SecretId=secret.id)
    value = answer.get("SecretString")
    if value is None:
        raise SecretProblem("the secret holds bytes, not text")
    # A field that is not known cannot be missed: the placeholder and an empty value can.
    return key_from_secret(value, secret.id, secret.field or "apiKey")


def _check(patient: Patient, secret: UpstreamSecret) -> Iterator[Finding]:
    name = secret.upstream
    if not secret.id:
        yield error(name, "the function does not know its secret; deploy the gateway anew", patient.deploy)
        return
    try:
        read_secret(patient, secret)
    except SecretProblem as problem:
        # What follows is the same advice without this gateway's Region and profile.
        yield error(name, str(problem).partition(";")[0], key_command(patient, secret))
    except ClientError as problem:
        code = problem.response["Error"]["Code"]
        if code == _NOT_FOUND:
            yield _nothing(patient, secret)
        elif code in _UNREADABLE:
            yield from _unreadable(patient, secret, problem)
        else:
            raise
    else:
        yield ok(name, "its secret holds a key")


def _nothing(patient: Patient, secret: UpstreamSecret) -> Finding:
    """There is no value: because there is no secret, or because it never had one."""
    try:
        patient.client("secretsmanager").describe_secret(SecretId=secret.id)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != _NOT_FOUND:
            raise
        return error(
            secret.upstream,
            f"its secret {secret.id} does not exist. One that is handed in has to be made anew; one of the gateway's own "
            "comes back when the upstream is removed, deployed, and added again",
            patient.deploy,
        )
    return error(secret.upstream, f"its secret {secret.id} has no value", key_command(patient, secret))


def _unreadable(patient: Patient, secret: UpstreamSecret, problem: ClientError) -> Iterator[Finding]:
    described = patient.client("secretsmanager").describe_secret(SecretId=secret.id)
    deleted = described.get("DeletedDate")
    if deleted:
        yield error(
            secret.upstream,
            f"its secret was deleted, and is gone for good on or after {deleted:%Y-%m-%d}",
            patient.aws("secretsmanager", "restore-secret", "--secret-id", secret.id),
        )
    else:
        key = described.get("KmsKeyId", "its key")
        yield error(
            secret.upstream,
            f"its secret cannot be decrypted: {problem}",
            patient.aws("kms", "describe-key", "--key-id", key) + "   # is it enabled?",
        )
