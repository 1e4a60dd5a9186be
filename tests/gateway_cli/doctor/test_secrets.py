"""Secrets: there, readable, and with a key."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway_cli.doctor.access import check_access
from gateway_cli.doctor.findings import Level
from gateway_cli.doctor.secrets import check_secrets
from tests.gateway_cli.doctor.conftest import KEY, REGION, Ward, config

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

SET = "ai-gateway credentials set holysheep --gateway {}"


def test_a_key(ward: Ward) -> None:
    found = ward.only(check_secrets)
    assert (found.level, found.subject, found.text) == (Level.OK, "holysheep", "its secret holds a key")
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"placeholder": true, "apiKey": "x"}', "still holds the placeholder"),
        ('{"otherField": "sk-1"}', "a JSON object without the text field 'apiKey'"),
        ("{broken", "begins like a JSON object but is none"),
        ("two words", "holds characters that no API key has"),
        (" ", "is empty"),
    ],
)
def test_a_value_that_is_no_key(ward: Ward, value: str, said: str) -> None:
    ward.secretsmanager.put_secret_value(SecretId=ward.secret, SecretString=value)
    found = ward.only(check_secrets)
    assert found.level is Level.ERROR
    assert said in found.text
    assert "put-secret-value" not in found.text
    assert found.mend == (SET.format(ward.path),)


def test_bytes(ward: Ward) -> None:
    ward.secretsmanager.put_secret_value(SecretId=ward.secret, SecretBinary=b"x")
    assert (ward.only(check_secrets).level, ward.only(check_secrets).text) == (Level.ERROR, "the secret holds bytes, not text")


def test_a_secret_that_does_not_exist(ward: Ward) -> None:
    ward.secretsmanager.delete_secret(SecretId=ward.secret, ForceDeleteWithoutRecovery=True)
    found = ward.only(check_secrets)
    assert (found.level, found.mend) == (Level.ERROR, ("npx cdk deploy Stack",))
    assert f"its secret {ward.secret} does not exist" in found.text


def test_a_secret_without_a_value(ward: Ward) -> None:
    # As AWS says it; the embedded one answers with neither text nor bytes.
    ward.refuse("GetSecretValue", "ResourceNotFoundException", "can't find the specified secret value for staging label")
    found = ward.only(check_secrets)
    assert (found.level, found.text) == (Level.ERROR, f"its secret {ward.secret} has no value")
    assert found.mend == (SET.format(ward.path),)


def test_a_secret_that_is_being_deleted(ward: Ward) -> None:
    ward.refuse("GetSecretValue", "InvalidRequestException", "marked for deletion")
    ward.answer("DescribeSecret", DeletedDate=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    found = ward.only(check_secrets, profile="two words")
    assert (found.level, found.text) == (Level.ERROR, "its secret was deleted, and is gone for good on or after 2026-12-01")
    assert found.mend == (
        f"aws secretsmanager restore-secret --secret-id {ward.secret} --region {REGION} --profile 'two words'",
    )


def test_a_secret_whose_key_is_disabled(ward: Ward) -> None:
    ward.refuse("GetSecretValue", "DecryptionFailure", "KMS key is disabled")
    ward.answer("DescribeSecret", KmsKeyId="arn:aws:kms:us-east-1:1:key/k")
    found = ward.only(check_secrets)
    assert found.level is Level.ERROR
    assert "cannot be decrypted" in found.text
    assert "aws kms describe-key --key-id arn:aws:kms:us-east-1:1:key/k --region us-east-1" in found.mend[0]


def test_a_function_without_the_secrets_arn(ward: Ward) -> None:
    ward.serve(config(), variables={})
    assert (ward.only(check_secrets).level, ward.only(check_secrets).mend) == (Level.ERROR, ("npx cdk deploy Stack",))


def test_the_operator_may_not_read_it(ward: Ward) -> None:
    ward.refuse("GetSecretValue")
    found = ward.only(check_secrets)
    assert (found.level, found.subject) == (Level.SKIPPED, "holysheep")
    assert found.text == "you lack the permission secretsmanager:GetSecretValue on the upstream's secret"


def test_without_the_configuration_the_functions_variables_tell(ward: Ward) -> None:
    ward.refuse("GetFunction")
    assert ward.only(check_secrets).text == "its secret holds a key"


def test_the_role_may_read(ward: Ward) -> None:
    assert (ward.only(check_access).level, ward.only(check_access).text) == (
        Level.OK,
        "the function's role may read its secret",
    )


def test_the_role_may_not_read(ward: Ward) -> None:
    ward.iam.delete_role_policy(RoleName=f"role-{ward.number}", PolicyName="secretsmanager-GetSecretValue-Allow")
    found = ward.only(check_access)
    assert (found.level, found.mend) == (Level.ERROR, ("npx cdk deploy Stack",))
    assert found.text == "the function's role may not read its secret: no policy of it allows that"
    ward.allow("secretsmanager:GetSecretValue", ward.secret, "Deny")
    assert ward.only(check_access).text.endswith(": a policy forbids it")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}, "a policy of the organization forbids it"),
        ({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}, "its permissions boundary forbids it"),
    ],
)
def test_what_is_above_the_role_forbids_it(ward: Ward, detail: dict[str, object], said: str) -> None:
    ward.answer("SimulatePrincipalPolicy", EvaluationResults=[{"EvalDecision": "implicitDeny", **detail}])
    assert ward.only(check_access).text.endswith(said)


def test_a_key_of_the_users_own(ward: Ward) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    ward.answer("DescribeSecret", KmsKeyId=key)
    found = ward.only(check_access)
    assert found.level is Level.WARNING
    assert f"not decrypt it with {key}: no policy of it allows that" in found.text
    assert found.mend[0] == f"aws kms get-key-policy --key-id {key} --region us-east-1"
    ward.allow("kms:Decrypt", key)
    assert ward.only(check_access).text == "the function's role may read and decrypt its secret"
    ward.answer("DescribeSecret", KmsKeyId="alias/aws/secretsmanager")
    assert ward.only(check_access).text == "the function's role may read its secret"
    ward.answer("DescribeSecret", KmsKeyId="alias/own")
    assert ward.only(check_access).level is Level.SKIPPED


def test_the_operator_may_not_simulate(ward: Ward) -> None:
    ward.refuse("SimulatePrincipalPolicy", "AccessDenied")
    found = ward.only(check_access)
    assert (found.level, found.text) == (
        Level.SKIPPED,
        "you lack the permission iam:SimulatePrincipalPolicy on the function's role",
    )
