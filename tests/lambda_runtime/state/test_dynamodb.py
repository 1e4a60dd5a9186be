"""The client of DynamoDB: what goes over the wire, and what becomes of what comes back."""

from __future__ import annotations

import json
import select
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.state import dynamodb, items
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.items import Update
from lambda_runtime.state.table_health import ConflictError, RefusedRequestError, TableError
from lambda_runtime.transport import HttpClientTransport
from tests.lambda_runtime.state.table_kit import PREFIX, TABLE, ClientOf, Table, environ
from tests.lambda_runtime.upstream_server import (
    Answer,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_with_silence,
)

ADD = Update("p", "s", sets={"a": "b"}, adds={"n": 1})


def answer_error(kind: str, message: str = "", status: int = 400, **more: Any) -> Answer:
    return answer_json({"__type": PREFIX + kind, "message": message, **more}, status)


def problem_of(client: DynamoDb) -> TableError:
    with pytest.raises(TableError) as caught:
        client.update(ADD.request(TABLE))
    return caught.value


def test_an_item_is_made_changed_and_read(table: Table, client_of: ClientOf) -> None:
    client = client_of(table.url)
    for _ in range(2):
        client.update(ADD.request(TABLE))
    client.update(Update("p", "t", sets={"x": 0.5, "expires": 3}).request(TABLE))
    assert client.query(items.query(TABLE, "p")) == [
        {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"S": "b"}, "n": {"N": "2"}},
        {"pk": {"S": "p"}, "sk": {"S": "t"}, "x": {"N": "0.500"}, "expires": {"N": "3"}},
    ]
    assert len(client.query(items.query(TABLE, "p", "t"))) == 1
    assert client.query(items.query(TABLE, "q")) == []
    assert table.server.connections == 1


def test_every_word_that_dynamodb_keeps_for_itself_goes_by_a_placeholder(table: Table, client_of: ClientOf) -> None:
    words = {"state": "a", "by": "b", "until": 1.0, "row": 2, "input": 3, "items": 4, "0x": 5}
    client = client_of(table.url)
    client.update(Update("p", "s", sets=words).request(TABLE))
    client.update(Update("p", "s", sets={"since": 1.5}, adds={"calls": 1}, removes=("by", "0x")).request(TABLE))
    assert sorted(table.items("p")["s"]) == ["calls", "input", "items", "pk", "row", "since", "sk", "state", "until"]


def test_a_condition_that_fails_gives_the_item(table: Table, client_of: ClientOf) -> None:
    client = client_of(table.url)
    change = Update("p", "s", sets={"rev": 1}, condition="attribute_not_exists(#rev)")
    client.update(change.request(TABLE))
    with pytest.raises(ConflictError) as caught:
        client.update(change.request(TABLE))
    assert caught.value.item == {"pk": {"S": "p"}, "sk": {"S": "s"}, "rev": {"N": "1"}}
    with pytest.raises(ConflictError) as caught:
        client.update(Update("p", "none", {"rev": 2}, condition="#rev = :seen", values={"seen": 1}).request(TABLE))
    assert caught.value.item == {}


def test_the_wire_request(server: UpstreamServer, client_of: ClientOf) -> None:
    server.answer = answer_json({})
    client_of(server.url).update(ADD.request(TABLE))
    received = server.last
    assert received.method == "POST"
    assert received.target == "/"
    assert received.header("x-amz-target") == "DynamoDB_20120810.UpdateItem"
    assert received.header("content-type") == "application/x-amz-json-1.0"
    assert received.header("host") == server.url.removeprefix("http://")
    assert [name for name, _ in received.headers].count("content-length") == 1
    assert json.loads(received.body)["TableName"] == TABLE


def test_botocore_signs_what_was_sent_in_the_same_way(server: UpstreamServer, client_of: ClientOf) -> None:
    server.answer = answer_json({})
    client_of(server.url).update(ADD.request(TABLE))
    received = server.last
    authorization = received.header("authorization") or ""
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest("POST", server.url + "/", data=received.body)
    for name in signed:
        request.headers[name] = received.header(name)
    date = received.header("x-amz-date") or ""
    assert abs(datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() < 60
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "secret", "session"), "dynamodb", "eu-west-1")
    request.context["timestamp"] = date
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert authorization.endswith(f"Signature={signature}")


@pytest.mark.parametrize(
    ("variables", "table", "host"),
    [
        ({}, TABLE, "dynamodb.eu-west-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, TABLE, "dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_REGION": "eusc-de-east-1"}, TABLE, "dynamodb.eusc-de-east-1.amazonaws.eu"),
        ({}, "arn:aws:dynamodb:us-east-2:123456789012:table/t", "dynamodb.us-east-2.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://emulator:4566"}, TABLE, "emulator"),
        ({"AWS_ENDPOINT_URL": "http://one/", "AWS_ENDPOINT_URL_DYNAMODB": "http://two/"}, TABLE, "two"),
    ],
)
def test_the_endpoint(variables: dict[str, str], table: str, host: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    known = {**environ(""), **variables}
    transport = httpx.MockTransport(answer)
    source = AwsCredentialsSource(httpx.Client(transport=transport), known)
    DynamoDb(transport, known, source, table).update(ADD.request(table))
    assert [request.url.host for request in asked] == [host]


def test_pages_are_followed(server: UpstreamServer, client_of: ClientOf) -> None:
    server.answers = [
        answer_json({"Items": [{"n": {"N": "1"}}], "LastEvaluatedKey": {"pk": {"S": "p"}}}),
        answer_json({"Items": [{"n": {"N": "2"}}, "no item"]}),
    ]
    found = client_of(server.url).query(items.query(TABLE, "p"))
    assert found == [{"n": {"N": "1"}}, {"n": {"N": "2"}}]
    assert json.loads(server.last.body)["ExclusiveStartKey"] == {"pk": {"S": "p"}}


def test_pages_without_end_are_not(server: UpstreamServer, client_of: ClientOf) -> None:
    server.answer = answer_json({"Items": [], "LastEvaluatedKey": {"pk": {"S": "p"}}})
    assert client_of(server.url).query(items.query(TABLE, "p")) == []
    assert len(server.received) == 8


def test_nothing_is_sent_twice(server: UpstreamServer, client_of: ClientOf) -> None:
    client = client_of(server.url)
    server.answer = lambda _received, connection: connection.cut()
    assert problem_of(client).kind == "no answer"
    assert len(server.received) == 1
    server.answer = answer_error("InternalServerError", status=500)
    problem_of(client)
    assert len(server.received) == 2


def test_a_connection_that_was_closed_while_idle_is_replaced(server: UpstreamServer, client_of: ClientOf) -> None:
    def close_after(received: Received, connection: Connection) -> None:
        answer_json({})(received, connection)
        connection.cut()

    server.answer = close_after
    client = client_of(server.url)
    transport = client._transport
    assert isinstance(transport, HttpClientTransport)
    for _ in range(3):
        client.update(ADD.request(TABLE))
        (idle,) = transport._idle.values()
        assert select.select([idle._socket], [], [], 10)[0]  # its end has arrived
    assert len(server.received) == server.connections == 3


# What is wrong, and what is said about it


def drip(_received: Received, connection: Connection) -> None:
    connection.start(200, [("content-length", "1000")], chunked=False)
    while not connection.wait_until_peer_closes(0.02):
        connection.send(b" ")


@pytest.mark.parametrize("answer", [answer_with_silence, drip])
def test_a_slow_answer_is_none(server: UpstreamServer, answer: Answer, client_of: ClientOf) -> None:
    server.answer = answer
    problem = problem_of(client_of(server.url, read_timeout=0.1))
    assert problem.kind == "no answer"
    assert problem.unreachable
    assert "in a VPC the function needs a gateway endpoint for dynamodb" in str(problem)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (answer_bytes(b"<html>"), "garbage", "is AWS_ENDPOINT_URL right?"),
        (answer_bytes(b"[]"), "garbage", "with status 200"),
        (answer_bytes(b"\xff\xfe"), "garbage", "with status 200"),
        (answer_bytes(b"", 500), "garbage", "with status 500"),
        (answer_json({"__type": 5}, 400), "garbage", "with status 400"),
        (answer_json({"message": "?"}, 400), "garbage", "with status 400"),
        (answer_bytes(b"{}", 302), "garbage", "with status 302"),
        (
            answer_error("InternalServerError", "hm", 500),
            "InternalServerError",
            "answers UpdateItem with 500 InternalServerError",
        ),
        (answer_error("ThrottlingException", "slow"), "ThrottlingException", "400 ThrottlingException slow"),
        (
            answer_error("ProvisionedThroughputExceededException"),
            "ProvisionedThroughputExceededException",
            "ProvisionedThroughputExceededException",
        ),
        (
            answer_error("ResourceNotFoundException", "no"),
            "ResourceNotFoundException",
            f"there is no table '{TABLE}' in eu-west-1",
        ),
        (
            answer_json({"__type": "com.amazon.coral.service#ExpiredTokenException"}, 400),
            "ExpiredTokenException",
            "ExpiredToken",
        ),
    ],
)
def test_a_refusal(server: UpstreamServer, answer: Answer, kind: str, said: str, client_of: ClientOf) -> None:
    client = client_of(server.url)
    server.answer = answer
    problem = problem_of(client)
    assert problem.kind == kind
    assert said in str(problem)


def test_a_query_without_items_is_garbage(server: UpstreamServer, client_of: ClientOf) -> None:
    server.answer = answer_json({"Count": 1})
    with pytest.raises(TableError, match="that is not DynamoDB"):
        client_of(server.url).query(items.query(TABLE, "p"))


def test_an_endless_answer_is_garbage(server: UpstreamServer, monkeypatch: pytest.MonkeyPatch, client_of: ClientOf) -> None:
    client = client_of(server.url)
    monkeypatch.setattr(dynamodb, "_MAX_ANSWER", 100_000)
    server.answer = answer_bytes(b'{"a":"' + b"x" * 1_000_000 + b'"}')
    assert problem_of(client).kind == "garbage"


def test_a_fault_of_one_request_is_none_of_the_table(server: UpstreamServer, client_of: ClientOf) -> None:
    client = client_of(server.url)
    server.answer = answer_error("ValidationException", "key too long")
    problem = problem_of(client)
    assert isinstance(problem, RefusedRequestError)
    assert "key too long" in str(problem)


def test_a_missing_permission_names_the_statement(server: UpstreamServer, client_of: ClientOf) -> None:
    client = client_of(server.url)
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/gateway-state"
    said = f"User: arn:x is not authorized to perform: dynamodb:UpdateItem on resource: {arn} because no policy allows it"
    server.answer = answer_error("AccessDeniedException", said)
    problem = problem_of(client)
    assert problem.kind == "denied UpdateItem"
    assert json.dumps({"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": arn}) in str(problem)
    server.answer = answer_error("AccessDeniedException", "no")
    assert '"Resource": "<ARN of the table>"' in str(problem_of(client))


def test_a_missing_permission_for_the_kms_key_is_told_apart(server: UpstreamServer, client_of: ClientOf) -> None:
    client = client_of(server.url)
    server.answer = answer_error("AccessDeniedException", "KMS key access denied")
    assert '"Action": "kms:Decrypt"' in str(problem_of(client))


def test_nobody_there(client_of: ClientOf) -> None:
    with pytest.raises(TableError) as caught:
        client_of("http://127.0.0.1:1").update(ADD.request(TABLE))
    assert caught.value.kind == "no answer"


@pytest.mark.parametrize("url", ["localhost:4566", "http://[bad/", "ftp://x", "http://h:99999"])
def test_an_endpoint_that_is_no_url(url: str, client_of: ClientOf) -> None:
    with pytest.raises(TableError):
        client_of(url).update(ADD.request(TABLE))


def test_no_aws_credentials(server: UpstreamServer, transport: HttpClientTransport) -> None:
    variables = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": server.url}
    client = DynamoDb(transport, variables, AwsCredentialsSource(httpx.Client(transport=transport), variables), TABLE)
    with pytest.raises(TableError, match="neither AWS_ACCESS_KEY_ID nor"):
        client.update(ADD.request(TABLE))


@pytest.fixture
def transport() -> Iterator[HttpClientTransport]:
    transport = HttpClientTransport()
    yield transport
    transport.close()
