"""Keys out of Secrets Manager (moto's server), and what the log says where that fails."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.aws_credentials import AwsCredentialsError, AwsCredentialsSource
from lambda_runtime.secret_value import SecretProblem, key_from_secret, key_in
from lambda_runtime.secrets_manager import SecretsManager
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_bytes, answer_json, serve

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:Gateway-AbCdEf"
KEY = "sk-the-real-key"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}


def _ask_moto(received: Received, connection: Connection) -> None:
    operation = (received.header("x-amz-target") or "").rpartition(".")[2]
    assert operation == "GetSecretValue"
    try:
        found = boto().get_secret_value(**json.loads(received.body))
        value = {name: found[name] for name in ("SecretString",) if name in found} or {"SecretBinary": "eA=="}
        answer_json({"Name": found["Name"], **value})(received, connection)
    except ClientError as error:
        document = {"__type": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
        answer_json(document, 400)(received, connection)


@pytest.fixture
def moto_url() -> Iterator[str]:
    """moto's Secrets Manager behind the wire protocol: its own server would bring a web framework into the environment."""
    with mock_aws(), serve() as server:
        server.answer = _ask_moto
        yield server.url


@pytest.fixture
def server() -> Iterator[UpstreamServer]:
    with serve() as server:
        yield server


def environ(url: str, **more: str) -> dict[str, str]:
    return {**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": url, **more}


def boto() -> Any:
    return boto3.client("secretsmanager", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def problem_of(server: UpstreamServer, client: httpx.Client, secret_id: str = ARN, **more: str) -> str:
    with pytest.raises(SecretProblem) as caught:
        SecretsManager(client, environ(server.url, **more)).get(secret_id)
    return str(caught.value)


def test_a_secret_is_read(moto_url: str, client: httpx.Client) -> None:
    created = boto().create_secret(Name="readable", SecretString=KEY)
    secrets = SecretsManager(client, environ(moto_url))
    assert secrets.get(created["ARN"]) == KEY
    assert secrets.get("readable") == KEY
    boto().put_secret_value(SecretId="readable", SecretString="next")
    assert secrets.get(created["ARN"]) == "next"


def test_a_secret_that_is_not_there(moto_url: str, client: httpx.Client) -> None:
    with pytest.raises(SecretProblem) as caught:
        SecretsManager(client, environ(moto_url)).get(ARN)
    assert f"the secret {ARN} does not exist" in str(caught.value)
    assert "aws secretsmanager create-secret --name Gateway --secret-string" in str(caught.value)


def test_a_secret_that_is_being_deleted(moto_url: str, client: httpx.Client) -> None:
    created = boto().create_secret(Name="doomed", SecretString=KEY)
    boto().delete_secret(SecretId="doomed")
    with pytest.raises(SecretProblem, match="aws secretsmanager restore-secret --secret-id"):
        SecretsManager(client, environ(moto_url)).get(created["ARN"])


def test_a_binary_secret(moto_url: str, client: httpx.Client) -> None:
    boto().create_secret(Name="binary", SecretBinary=b"x")
    with pytest.raises(SecretProblem, match=r"is binary; .*put-secret-value --secret-id binary"):
        SecretsManager(client, environ(moto_url)).get("binary")


def test_the_request_is_signed_for_the_secrets_own_region(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = answer_json({"SecretString": KEY})
    assert SecretsManager(client, environ(server.url, AWS_REGION="us-east-1")).get(ARN) == KEY
    authorization = server.last.header("authorization") or ""
    assert "Credential=AKIDEXAMPLE/" in authorization
    assert "/eu-west-1/secretsmanager/aws4_request" in authorization
    assert server.last.header("x-amz-target") == "secretsmanager.GetSecretValue"
    assert server.last.header("x-amz-security-token") == "session"
    assert json.loads(server.last.body) == {"SecretId": ARN}


def test_the_services_own_endpoint_variable_wins(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = answer_json({"SecretString": KEY})
    variables = environ("http://127.0.0.1:1", AWS_ENDPOINT_URL_SECRETS_MANAGER=server.url + "/")
    assert SecretsManager(client, variables).get(ARN) == KEY


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        (ARN, "secretsmanager.eu-west-1.amazonaws.com"),
        (ARN.replace("aws:", "aws-cn:").replace("eu-west-1", "cn-north-1"), "secretsmanager.cn-north-1.amazonaws.com.cn"),
        ("name-only", "secretsmanager.us-west-2.amazonaws.com"),
    ],
)
def test_the_endpoint_follows_region_and_partition(arn: str, host: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={"SecretString": KEY})

    with httpx.Client(transport=httpx.MockTransport(answer), trust_env=False) as client:
        SecretsManager(client, {**KEYS, "AWS_REGION": "us-west-2"}).get(arn)
    assert asked == [host]


def refusal(kind: str, message: str) -> Any:
    return answer_json({"__type": kind, "Message": message}, 400)


def test_a_missing_permission_names_the_statement(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = refusal("AccessDeniedException", "User: arn:x is not authorized to perform: secretsmanager:GetSecretValue")
    message = problem_of(server, client)
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": ARN}
    assert json.dumps(statement) in message


def test_a_missing_permission_for_the_kms_key_is_told_apart(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = refusal("AccessDeniedException", "Access to KMS is not allowed")
    message = problem_of(server, client)
    assert '"Action": "kms:Decrypt"' in message
    assert "key's policy" in message


def test_a_disabled_kms_key(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = refusal("DecryptionFailure", "KMS key is disabled")
    assert "aws kms describe-key" in problem_of(server, client)


def test_a_secret_without_a_value(server: UpstreamServer, client: httpx.Client) -> None:
    message = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    server.answer = refusal("ResourceNotFoundException", message)
    said = problem_of(server, client)
    assert "has no value yet" in said
    assert f"put-secret-value --secret-id {ARN}" in said


def test_anything_else_is_quoted(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = refusal("com.amazonaws.x#InternalServiceError", "hm")
    assert "answered 400 InternalServiceError hm" in problem_of(server, client)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"null"])
def test_an_answer_that_is_none_of_secrets_managers(server: UpstreamServer, client: httpx.Client, body: bytes) -> None:
    """As from an endpoint variable that leads elsewhere: it must not fail the function's init."""
    server.answer = answer_bytes(body)
    assert "Secrets Manager answered 200" in problem_of(server, client)


def test_a_transient_error_is_tried_once_more(server: UpstreamServer, client: httpx.Client) -> None:
    server.answers = [answer_bytes(b"oops", 503), answer_json({"SecretString": KEY})]
    assert SecretsManager(client, environ(server.url)).get(ARN) == KEY
    server.answers = [refusal("ThrottlingException", "Rate exceeded"), answer_json({"SecretString": KEY})]
    assert SecretsManager(client, environ(server.url)).get(ARN) == KEY
    server.answer = answer_bytes(b"oops", 503)
    assert "answered 503" in problem_of(server, client)


def test_no_network(server: UpstreamServer, client: httpx.Client) -> None:
    server.answer = lambda _received, connection: connection.cut()
    message = problem_of(server, client)
    assert "does not answer" in message
    assert "interface endpoint" in message


def test_no_aws_credentials(client: httpx.Client) -> None:
    with pytest.raises(SecretProblem, match="neither AWS_ACCESS_KEY_ID nor"):
        SecretsManager(client, {"AWS_REGION": "eu-west-1"}).get(ARN)


# The value


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (KEY, KEY),
        (f"  {KEY}\n", KEY),
        (json.dumps({"apiKey": KEY, "other": 1}), KEY),
        (json.dumps({"apiKey": f" {KEY}\n"}), KEY),
        (json.dumps({"apiKey": KEY, "placeholder": False}), KEY),
    ],
)
def test_a_value_is_the_key_or_holds_it(value: str, key: str) -> None:
    assert key_from_secret(value, ARN, "apiKey") == key


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('{"placeholder":true,"apiKey":"x8Jk2"}', "still holds the placeholder"),
        ('{"api_key":"sk-misplaced"}', "without the text field 'apiKey'"),
        ('{"apiKey":5}', "without the text field 'apiKey'"),
        ('{"apiKey":""}', "is empty"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("{sk-broken", "begins like a JSON object"),
        ("sk-one\nsk-two", "characters that no API key has"),
        ('"sk-quoted"', "characters that no API key has"),
        ("sk-ключ", "characters that no API key has"),
    ],
)
def test_a_value_that_is_no_key_says_how_to_mend_it_and_not_what_it_is(value: str, words: str) -> None:
    with pytest.raises(SecretProblem) as caught:
        key_from_secret(value, ARN, "apiKey")
    message = str(caught.value)
    assert words in message
    assert f"aws secretsmanager put-secret-value --secret-id {ARN} --secret-string '<the key>'" in message
    assert "x8Jk2" not in message
    assert "sk-" not in message


def test_the_key_in_a_value() -> None:
    assert key_in("sk-1\n", "apiKey") == "sk-1"
    assert key_in('{"token": " sk-1 "}', "token") == "sk-1"
    for value in (None, "", "{}", "{", '{"placeholder":true,"token":"x"}', '{"other": "sk-1"}'):
        assert key_in(value, "token") is None


# The function's own credentials


def test_after_a_restore_they_come_from_the_local_endpoint(server: UpstreamServer, client: httpx.Client) -> None:
    answer = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2126-01-01T00:00:00Z"}
    server.answer = answer_json(answer)
    variables = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token-1",
    }
    source = AwsCredentialsSource(client, variables)
    assert source.get() == ("ASIA", "s", "t")
    assert source.get() == ("ASIA", "s", "t")
    assert [(r.target, r.header("authorization")) for r in server.received] == [("/credentials", "token-1")]
    source.forget()
    source.get()
    assert len(server.received) == 2


def test_expiring_credentials_are_fetched_again(server: UpstreamServer, client: httpx.Client) -> None:
    answer = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2020-01-01T00:00:00Z"}
    server.answer = answer_json(answer)
    source = AwsCredentialsSource(client, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/c"})
    source.get()
    source.get()
    assert len(server.received) == 2


@pytest.mark.parametrize("seconds_left", [100, -100])
def test_credentials_are_used_until_they_expire_where_no_new_ones_can_be_had(
    server: UpstreamServer, client: httpx.Client, seconds_left: float
) -> None:
    expiration = datetime.fromtimestamp(time.time() + seconds_left, UTC).isoformat()
    answer = {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": expiration}
    server.answers = [answer_json(answer)]
    server.answer = answer_bytes(b"", 500)
    source = AwsCredentialsSource(client, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/c"})
    assert source.get() == ("ASIA", "s", "t")
    if seconds_left > 0:
        assert source.get() == ("ASIA", "s", "t")
    else:
        with pytest.raises(AwsCredentialsError):
            source.get()
    assert len(server.received) == 2


@pytest.mark.parametrize("body", [b"{}", b"not json", b"[]"])
def test_an_endpoint_that_gives_none(server: UpstreamServer, client: httpx.Client, body: bytes) -> None:
    server.answer = answer_bytes(body)
    with pytest.raises(AwsCredentialsError, match="gave no credentials"):
        AwsCredentialsSource(client, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/c"}).get()
