"""A DynamoDB on loopback (moto's, behind the wire protocol), function instances that share it, and a clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
from botocore.exceptions import ClientError
from moto import mock_aws

from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.table_health import TableHealth
from lambda_runtime.state.target_states import Availability
from lambda_runtime.transport import HttpClientTransport
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve

TABLE = "gateway-state"
TARGET = "main/gpt-4.1"
OTHER = "spare/gpt-4.1"
START = 1_790_000_005.25
PREFIX = "com.amazonaws.dynamodb.v20120810#"


def environ(url: str, **more: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
    return {**keys, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": url, "AI_GATEWAY_TABLE": TABLE, **more}


@dataclass
class Clock:
    """The time. It stands still but for what a test says."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Table:
    """moto's DynamoDB, and what was asked of it over the wire."""

    server: UpstreamServer
    boto: Any
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    def items(self, pk: str) -> dict[str, dict[str, Any]]:
        """A partition's items by sort key, in DynamoDB's own form."""
        found = self.boto.query(
            TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": pk}}
        )
        return {item["sk"]["S"]: item for item in found["Items"]}

    def breaker(self, name: str) -> dict[str, Any]:
        return plain(self.items("state").get(f"breaker#{name}", {}))

    def window(self, target: str) -> dict[str, dict[str, Any]]:
        return {sk: plain(item) for sk, item in self.items(f"window#{target}").items()}

    def do(self, *updates: Any) -> None:
        """Make changes as the operator's commands do."""
        for update in updates:
            self.boto.update_item(**update.request(TABLE))

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [request for name, request in self.requests if name == operation]


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item's values without their types."""
    return {name: value["S"] if "S" in value else float(value["N"]) for name, value in item.items() if name not in {"pk", "sk"}}


@contextmanager
def running_table() -> Iterator[Table]:
    with mock_aws(), serve() as server:
        boto = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        boto.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        table = Table(server, boto)
        lock = threading.Lock()  # moto's tables are not made for threads, and DynamoDB's additions are atomic

        def answer(received: Received, connection: Connection) -> None:
            operation = (received.header("x-amz-target") or "").removeprefix("DynamoDB_20120810.")
            request = json.loads(received.body)
            table.requests.append((operation, request))
            try:
                with lock:
                    found = boto._make_api_call(operation, request)
                document, status = {key: value for key, value in found.items() if key != "ResponseMetadata"}, 200
            except ClientError as error:
                said = error.response["Error"]
                document, status = {"__type": PREFIX + said["Code"], "message": said["Message"]}, 400
                if "Item" in error.response:
                    document["Item"] = error.response["Item"]
            answer_json(document, status)(received, connection)

        server.answer = answer
        yield table


PATIENT = {"connect_timeout": 30.0, "read_timeout": 30.0}
"""Where a test is not about time-outs a busy machine must not make it so."""


class ClientOf:
    """Makes clients of the table at a URL, with much patience unless a test says otherwise."""

    def __init__(self) -> None:
        self._transports: list[HttpClientTransport] = []

    def __call__(self, url: str, **timeouts: float) -> DynamoDb:
        variables = environ(url)
        transport = HttpClientTransport()
        self._transports.append(transport)
        credentials = AwsCredentialsSource(httpx.Client(transport=transport, trust_env=False), variables)
        return DynamoDb(transport, variables, credentials, TABLE, **{**PATIENT, **timeouts})

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


class Instance(SharedStates):
    """A function instance's states."""

    def __init__(self, client: DynamoDb, clock: Clock, jitter: float = 0.0, probe_patience: float = 30.0) -> None:
        self.client = client
        self.health = TableHealth(clock)
        super().__init__(client, self.health, clock=clock, jitter=lambda: jitter, probe_patience=probe_patience)

    def look(self) -> None:
        """Read the table anew, however long that takes, if what is known is old."""
        self.refresh()
        self.wait()

    def wait(self) -> None:
        reading = self._reader._reading
        if reading is not None:
            assert reading.acquire(timeout=10)
            reading.release()

    def attempt(self, outcome: Outcome, target: str = TARGET, *, times: int = 1, probe: bool = False) -> None:
        for _ in range(times):
            self.record([Attempted(target, outcome, probe=probe)])


def succeed(instance: Instance, times: int = 1, target: str = TARGET) -> None:
    instance.attempt(Outcome.SUCCESS, target, times=times)


def fail(instance: Instance, times: int = 1, target: str = TARGET) -> None:
    instance.attempt(Outcome.FAILURE, target, times=times)


def opened(instance: Instance, clock: Clock, *, times: int = 1) -> None:
    """Open the target's breaker, and let further openings follow by probes that fail."""
    fail(instance, 5)
    for _ in range(times - 1):
        clock.pass_(301)
        assert instance.take_probe(TARGET)
        instance.attempt(Outcome.FAILURE, probe=True)
    assert instance.availability(TARGET) is Availability.OPEN
