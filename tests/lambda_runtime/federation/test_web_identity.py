"""Identity tokens from STS: asked for and read as botocore does, and what the log says where there are none."""

from __future__ import annotations

import json
from typing import Any

import boto3
import botocore.parsers
import botocore.session
import httpx
import pytest
from botocore.config import Config

from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.aws_endpoint import aws_endpoint
from lambda_runtime.config.federation import Federation
from lambda_runtime.federation.problem import TransientProblem
from lambda_runtime.federation.web_identity import WebIdentity
from lambda_runtime.secret_value import SecretProblem
from tests.lambda_runtime.federation.federation_kit import (
    XML,
    Sts,
    anthropic_federation,
    claims_of,
    environ,
    error_document,
    openai_federation,
    signed_by_botocore,
    sts_error,
    token_answer,
)
from tests.lambda_runtime.upstream_server import answer_bytes, answer_with_silence

ODD_AUDIENCE = "https://a.example/?x=1&y=%25+~*'()!;,:@"


def ask(sts: Sts, client: httpx.Client, federation: Federation | None = None, **more: str) -> str:
    variables = environ(sts.server, **more)
    return WebIdentity(client, variables, AwsCredentialsSource(client, variables)).token(federation or openai_federation())


def problem_of(sts: Sts, client: httpx.Client) -> SecretProblem:
    with pytest.raises(SecretProblem) as caught:
        ask(sts, client)
    return caught.value


def boto(url: str) -> Any:
    session = boto3.Session("ASIAEXAMPLE", "secret", "session", "eu-west-1")
    return session.client("sts", endpoint_url=url, config=Config(proxies={}, retries={"total_max_attempts": 1}))


@pytest.mark.parametrize(
    "federation",
    [openai_federation(), anthropic_federation(), anthropic_federation(audience=ODD_AUDIENCE)],
    ids=["openai", "anthropic", "odd audience"],
)
def test_the_request_is_botocores_and_so_is_its_signature(sts: Sts, client: httpx.Client, federation: Federation) -> None:
    ours = ask(sts, client, federation)
    theirs = boto(sts.server.url).get_web_identity_token(
        Audience=[federation.audience], DurationSeconds=900, SigningAlgorithm=federation.signing_algorithm
    )["WebIdentityToken"]
    mine, boto3s = sts.server.received
    assert mine.body == boto3s.body
    assert (mine.method, mine.target, mine.header("content-type")) == (
        boto3s.method,
        boto3s.target,
        boto3s.header("content-type"),
    )
    assert mine.header("authorization") == signed_by_botocore(mine, sts.server.url)
    assert mine.header("x-amz-security-token") == "session"
    assert [ours, theirs] == sts.issued
    assert claims_of(ours)["exp"] - claims_of(ours)["iat"] == 900


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "ap-south-2", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1"]
)
def test_the_endpoint_is_the_regional_one(region: str) -> None:
    client = boto3.client("sts", region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
    assert aws_endpoint("sts", "AWS_ENDPOINT_URL_STS", {"AWS_REGION": region}).url == client.meta.endpoint_url + "/"


def botocores_parse(document: bytes, status: int) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("sts").operation_model("GetWebIdentityToken")
    assert model.output_shape is not None
    parsed: dict[str, Any] = botocore.parsers.QueryParser().parse(
        {"body": document, "headers": {}, "status_code": status}, model.output_shape
    )
    return parsed


@pytest.mark.parametrize("token", ["eyJhbGciOi.eyJpc3Mi.c2ln-_", "a.b.c"])
def test_the_answer_is_read_as_botocore_reads_it(sts: Sts, client: httpx.Client, token: str) -> None:
    document = token_answer(token)
    sts.server.answer = answer_bytes(document, headers=[XML])
    assert ask(sts, client) == botocores_parse(document, 200)["WebIdentityToken"] == token


@pytest.mark.parametrize("message", ['User: arn:x is "not" authorized: <a> & b\'s', "", "&lt; stays &amp;lt;"])
def test_errors_are_read_as_botocore_reads_them(sts: Sts, client: httpx.Client, message: str) -> None:
    document = error_document("Odd", message)
    sts.server.answer = answer_bytes(document, 400, [XML])
    said = botocores_parse(document, 400)["Error"]
    assert said == {"Type": "Sender", "Code": "Odd", "Message": message or None} or not message
    assert f"it answered 400 Odd {message}".rstrip() in str(problem_of(sts, client))


def test_a_switch_that_is_off(sts: Sts, client: httpx.Client) -> None:
    sts.server.answer = sts_error("OutboundWebIdentityFederationDisabledException", "not enabled", 403)
    problem = problem_of(sts, client)
    assert "switch it on: aws iam enable-outbound-web-identity-federation" in str(problem)
    assert not problem.passes
    assert len(sts.server.received) == 1


def test_a_missing_permission_names_the_narrowest_statement(sts: Sts, client: httpx.Client) -> None:
    sts.server.answer = sts_error("AccessDenied", "User is not authorized to perform: sts:GetWebIdentityToken", 403)
    message = str(problem_of(sts, client))
    start = message.index('{"Effect"')
    statement, _ = json.JSONDecoder().raw_decode(message[start:])
    assert statement["Action"] == "sts:GetWebIdentityToken"
    assert statement["Condition"]["ForAllValues:StringEquals"] == {"sts:IdentityTokenAudience": ["https://api.openai.com/v1"]}
    assert "service control policy" in message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", "Signature expired: 20261122T030405Z is now earlier than 20261122T040405Z"),
        ("SignatureDoesNotMatch", "Signature not yet current: 20261122T050405Z is still later than 20261122T040405Z"),
        ("RequestExpired", "Request has expired"),
    ],
)
def test_a_wrong_clock(sts: Sts, client: httpx.Client, code: str, message: str) -> None:
    sts.server.answer = sts_error(code, message, 403)
    assert "the clock of this machine is wrong" in str(problem_of(sts, client))


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"])
def test_credentials_that_are_refused(sts: Sts, client: httpx.Client, code: str) -> None:
    sts.server.answer = sts_error(code, "The security token included in the request is expired", 403)
    assert "Lambda gives new ones to new instances" in str(problem_of(sts, client))


def test_an_endpoint_without_the_operation(sts: Sts, client: httpx.Client) -> None:
    sts.server.answer = sts_error("InvalidAction", "Could not find operation GetWebIdentityToken")
    assert "leave AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL unset" in str(problem_of(sts, client))


def test_anything_else_is_quoted_with_a_way_to_try_it(sts: Sts, client: httpx.Client) -> None:
    sts.server.answer = sts_error("MalformedInput", "hm")
    message = str(problem_of(sts, client))
    assert "it answered 400 MalformedInput hm" in message
    assert "aws sts get-web-identity-token --audience https://api.openai.com/v1 --signing-algorithm ES384" in message


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"GetWebIdentityTokenResponse": 1}', b"\xff\xfe", token_answer("")])
def test_an_answer_that_is_none_of_stss(sts: Sts, client: httpx.Client, body: bytes) -> None:
    sts.server.answer = answer_bytes(body, headers=[XML])
    assert "it answered 200" in str(problem_of(sts, client))


def test_a_session_that_ends_sooner_gets_the_shortest_token(sts: Sts, client: httpx.Client) -> None:
    """Lambda's own credentials end, too: in an instance's last quarter of an hour STS gives none of 900 seconds."""
    sts.server.answers = [sts_error("SessionDurationEscalationException", "would extend the session", 403)]
    claims = claims_of(ask(sts, client))
    assert claims["exp"] - claims["iat"] == 60
    assert len(sts.server.received) == 2


def test_transient_errors_are_tried_once_more(sts: Sts, client: httpx.Client) -> None:
    for fault in (answer_bytes(b"oops", 503), sts_error("Throttling", "Rate exceeded")):
        sts.server.answers = [fault]
        ask(sts, client)
    sts.server.answer = answer_bytes(b"oops", 503)
    problem = problem_of(sts, client)
    assert problem.passes
    assert "it answered 503" in str(problem)
    assert len(sts.server.received) == 6


def test_no_network(sts: Sts, client: httpx.Client) -> None:
    sts.server.answer = lambda _received, connection: connection.cut()
    problem = problem_of(sts, client)
    assert isinstance(problem, TransientProblem)
    assert "an interface endpoint for sts" in str(problem)


def test_silence_is_not_waited_for_twice(sts: Sts, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambda_runtime.signed_post._TIMEOUT", httpx.Timeout(0.1))
    sts.server.answer = answer_with_silence
    assert problem_of(sts, client).passes
    assert len(sts.server.received) == 1


def test_no_aws_credentials(client: httpx.Client) -> None:
    with pytest.raises(SecretProblem, match="neither AWS_ACCESS_KEY_ID nor"):
        WebIdentity(client, {}, AwsCredentialsSource(client, {})).token(openai_federation())
