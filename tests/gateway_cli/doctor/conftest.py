"""Gateways in the embedded AWS, as the construct and CloudFormation make them, and what AWS is made to say otherwise."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import find_gateway
from gateway_cli.aws.where import Where
from gateway_cli.doctor.findings import Finding, Level, examined
from gateway_cli.doctor.patient import Patient
from gateway_cli.local.emulator import Emulator
from lambda_runtime.config import CONFIG_FILE, AuthStyle, Endpoint, GatewayConfig, ModelRoute, Operation, UpstreamConfig
from tests.embedded_aws import embedded_aws

REGION = "us-east-1"
KEY = "sk-current-0123456789"
_LOADER = botocore.loaders.create_loader()
_numbers = count(1)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with embedded_aws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def aws_environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The embedded AWS is what an operator without options works on."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name, value in {
        "AWS_ENDPOINT_URL": emulator.endpoint_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)


def config(base_url: str = "https://holysheep.invalid/v1") -> GatewayConfig:
    endpoint = Endpoint(base_url=base_url, auth=AuthStyle.BEARER, operations=(Operation.CHAT_COMPLETIONS,))
    return GatewayConfig(
        upstreams=(UpstreamConfig(name="holysheep", endpoints=(endpoint,)),),
        models={"gpt-4": ModelRoute(["holysheep/gpt-4.1"])},
    )


def code(configuration: GatewayConfig | None, note: str = "") -> bytes:
    """A version's code: its configuration, and something by which it differs from others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if configuration:
            archive.writestr(CONFIG_FILE, configuration.to_json())
        archive.writestr("index.py", f"# {note}\ndef handler(event, context): return {{}}\n")
    return buffer.getvalue()


def _settle(parsed: dict[str, Any], **_: Any) -> None:
    """Half a second passes in the embedded AWS until a function is active, and a version stays what it was till then."""
    if parsed.get("StateReasonCode") in {"Creating", "Updating"}:
        parsed |= {"State": "Active", "LastUpdateStatus": "Successful", "StateReason": ""}


class Ward:
    """A gateway in the embedded AWS. Tests do to it what they want to be found."""

    def __init__(self, emulator: Emulator) -> None:
        self.number = next(_numbers)
        self.path = f"Stack{self.number}/Gateway"
        self.name = f"gateway-{self.number}"
        self.table = f"table-{self.number}"
        self.lambda_ = emulator.client("lambda")
        self.secretsmanager = emulator.client("secretsmanager")
        self.apigateway = emulator.client("apigateway")
        self.cloudwatch = emulator.client("cloudwatch")
        self.dynamodb = emulator.client("dynamodb")
        self.iam = emulator.client("iam")
        self.states = emulator.client("stepfunctions")
        self._answers: dict[str, Callable[[], Any]] = {}
        self.tags = {"ai-gateway:api": self.path, "ai-gateway:function": self.name, "aws:cloudformation:stack-name": "Stack"}
        self.secret = self.secretsmanager.create_secret(Name=f"secret-{self.number}", SecretString=KEY)["ARN"]
        trust = {"Version": "2012-10-17", "Statement": []}
        role = self.iam.create_role(RoleName=f"role-{self.number}", AssumeRolePolicyDocument=json.dumps(trust))
        self.role = role["Role"]["Arn"]
        self.allow("secretsmanager:GetSecretValue", self.secret)
        self._make_table()
        self.lambda_.create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=self.role,
            Handler="index.handler",
            Code={"ZipFile": code(config(), "0")},
            Environment={"Variables": {"AI_GATEWAY_TABLE": self.table, "UPSTREAM_SECRET_HOLYSHEEP": self.secret}},
        )
        self.publish()
        self.lambda_.create_alias(FunctionName=self.name, Name="live", FunctionVersion="1")
        self.api = ""
        self._tagged: dict[str, str] = {}

    def _make_table(self) -> None:
        self.dynamodb.create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        specification = {"Enabled": True, "AttributeName": "expires"}
        self.dynamodb.update_time_to_live(TableName=self.table, TimeToLiveSpecification=specification)

    def allow(self, action: str, resource: str, effect: str = "Allow", **statement: Any) -> None:
        """Give the function's role a policy of that effect."""
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **statement}],
        }
        name = f"{action.replace(':', '-')}-{effect}"
        self.iam.put_role_policy(RoleName=f"role-{self.number}", PolicyName=name, PolicyDocument=json.dumps(policy))

    def publish(self, configuration: GatewayConfig | None = None) -> str:
        """One more version: its number."""
        content = code(configuration or config(), str(next(_numbers)))
        self.lambda_.update_function_code(FunctionName=self.name, ZipFile=content)
        return self._published()

    def _published(self) -> str:
        return str(self.lambda_.publish_version(FunctionName=self.name)["Version"])

    def serve(self, configuration: GatewayConfig | None, *, variables: Mapping[str, str] | None = None) -> None:
        """Let the alias have a version with that configuration, and with these variables besides its own."""
        if variables is not None:
            self.lambda_.update_function_configuration(FunctionName=self.name, Environment={"Variables": dict(variables)})
        self.lambda_.update_function_code(FunctionName=self.name, ZipFile=code(configuration, str(next(_numbers))))
        self.lambda_.update_alias(FunctionName=self.name, Name="live", FunctionVersion=self._published())

    def weigh(self, version: str, weight: float) -> None:
        routing = {"AdditionalVersionWeights": {version: weight}}
        self.lambda_.update_alias(FunctionName=self.name, Name="live", RoutingConfig=routing)

    def answer(self, operation: str, **content: Any) -> None:
        """Have AWS answer an operation like this."""
        self._answers[operation] = lambda: (AWSResponse("", 200, {}, None), content)

    def refuse(self, operation: str, error: str = "AccessDeniedException", message: str = "no") -> None:
        """Have AWS refuse an operation."""
        content = {"Error": {"Code": error, "Message": message}, "ResponseMetadata": {}}
        self._answers[operation] = lambda: (AWSResponse("", 400, {}, None), content)

    def patient(self, **options: Any) -> Patient:
        """The gateway as the command examines it."""
        self._tag_api()
        inner = botocore.session.Session()
        # What it reads of service models is the same for all, and takes longer than all the rest.
        inner.register_component("data_loader", _LOADER)
        session = boto3.session.Session(region_name=REGION, botocore_session=inner)
        for operation, answer in self._answers.items():
            session.events.register(f"before-call.*.{operation}", lambda answer=answer, **_: answer())
        session.events.register("after-call.*.GetFunctionConfiguration", _settle)
        connection = Connection(session=session)
        where = Where(gateway=self.path, **options)
        found = find_gateway(connection, connection.client("apigateway"), stack=None, gateway=self.path)
        return Patient(where, connection, found)

    def find(self, check: Callable[[Patient], Iterable[Finding]], **options: Any) -> list[Finding]:
        """What a check finds."""
        return examined("check", check(self.patient(**options)))

    def _tag_api(self) -> None:
        """Make the REST API, anew if its tags have changed: the embedded AWS keeps those that it was made with."""
        if self._tagged == self.tags:
            return
        if self.api:
            self.apigateway.delete_rest_api(restApiId=self.api)
        self.api = self.apigateway.create_rest_api(name=f"api-{self.number}", tags=self.tags)["id"]
        self._tagged = dict(self.tags)

    def only(self, check: Callable[[Patient], Iterable[Finding]], **options: Any) -> Finding:
        """The one thing that a check finds."""
        (found,) = self.find(check, **options)
        return found


@pytest.fixture
def ward(emulator: Emulator, aws_environment: None) -> Ward:  # noqa: ARG001
    return Ward(emulator)


def levels(findings: Iterable[Finding]) -> list[Level]:
    return [finding.level for finding in findings]
