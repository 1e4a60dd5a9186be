"""What a local gateway does to the rotation function that was deployed, in the embedded AWS itself."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.rest_api_model import RestApi
from gateway_cli.local.rotation import prepare_rotation, secret_here
from gateway_cli.local.upstreams import UpstreamPlan
from lambda_runtime.config import AuthStyle, Endpoint, GatewayConfig, Operation, UpstreamConfig, WireFormat
from lambda_runtime.config.secrets import (
    ROTATION_VARIABLE,
    RotatedSecret,
    RotationKind,
    read_rotation_json,
    rotation_json,
)
from tests.embedded_aws import embedded_aws

REGION = "us-east-1"
OUTSIDE = "arn:aws:secretsmanager:eu-central-1:999988887777:secret:anthropic-AbCdEf"
_numbers = count(1)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with embedded_aws(tmp_path_factory.mktemp("aws")) as running:
        yield running


def upstream(name: str, url: str, wire_format: WireFormat = WireFormat.OPENAI) -> UpstreamConfig:
    operation = Operation.CHAT_COMPLETIONS if wire_format is WireFormat.OPENAI else Operation.MESSAGES
    endpoint = Endpoint(base_url=url, auth=AuthStyle.BEARER, operations=(operation,))
    return UpstreamConfig(name=name, endpoints=(endpoint,))


def rotated(name: str, secret: str, **more: Any) -> RotatedSecret:
    return RotatedSecret(
        **{
            "upstream": name,
            "secret": secret,
            "kind": RotationKind.STAGED,
            "field": "apiKey",
            "url": f"https://{name}.example.com/v1/models",
            "auth": AuthStyle.BEARER,
            "wire_format": WireFormat.OPENAI,
            **more,
        }
    )


@dataclass
class Deployed:
    """A gateway whose rotation function stands in the embedded AWS."""

    emulator: Emulator
    scratch: Path
    number: int = field(default_factory=lambda: next(_numbers))
    printed: io.StringIO = field(default_factory=io.StringIO)

    def deploy(self, *rotations: RotatedSecret, tag: bool = True) -> None:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", "def handler(event, context): pass\n")
        self.emulator.client("lambda").create_function(
            FunctionName=self.function,
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/r",
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {ROTATION_VARIABLE: rotation_json(rotations), "OTHER": "stays"}},
        )
        tags = {"ai-gateway:rotation": self.function} if tag else {}
        made = self.emulator.client("apigateway").create_rest_api(name=self.function, tags=tags)
        self.api = RestApi(label="Gateway", api_id=made["id"], stage="prod", account="1", region=REGION, methods=())

    @property
    def function(self) -> str:
        return f"rotation-{self.number}"

    @property
    def variables(self) -> dict[str, str]:
        found = self.emulator.client("lambda").get_function_configuration(FunctionName=self.function)
        return dict(found["Environment"]["Variables"])

    @property
    def told(self) -> list[RotatedSecret]:
        return list(read_rotation_json(self.variables[ROTATION_VARIABLE]))

    def prepare(self, *upstreams: UpstreamConfig, **environment: str) -> str:
        """What is printed meanwhile."""
        plan = UpstreamPlan(environment=environment, stand_in=True, scratch=self.scratch)
        output = Output(console=Console(file=self.printed, highlight=False, soft_wrap=True))
        prepare_rotation(self.emulator, self.api, plan, GatewayConfig(upstreams=upstreams), output)
        return self.printed.getvalue()


@pytest.fixture
def deployed(emulator: Emulator, tmp_path: Path) -> Deployed:
    return Deployed(emulator, tmp_path)


def secret(emulator: Emulator, name: str) -> str:
    return str(emulator.client("secretsmanager").create_secret(Name=name, SecretString=f"key-of-{name}")["ARN"])


def test_keys_are_tried_where_requests_go(deployed: Deployed, emulator: Emulator) -> None:
    first, second = secret(emulator, "first"), secret(emulator, "second")
    deployed.deploy(
        rotated("first", first), rotated("second", second, wire_format=WireFormat.ANTHROPIC), rotated("gone", first)
    )
    here = upstream("first", "http://127.0.0.1:9/v1"), upstream("second", "http://127.0.0.1:9/a", WireFormat.ANTHROPIC)
    assert deployed.prepare(*here) == ""
    assert [one.url for one in deployed.told] == [
        "http://127.0.0.1:9/v1/models",
        "http://127.0.0.1:9/a/v1/models",
        "https://gone.example.com/v1/models",
    ]
    assert deployed.variables["OTHER"] == "stays"


def test_a_rotation_is_on_once_and_the_key_stays(deployed: Deployed, emulator: Emulator) -> None:
    client = emulator.client("secretsmanager")
    arn = secret(emulator, "third")
    deployed.deploy(rotated("third", arn))
    states = []
    for _ in range(2):
        deployed.prepare(upstream("third", "http://127.0.0.1:9/v1"))
        described = client.describe_secret(SecretId=arn)
        assert described["RotationEnabled"]
        states.append(described["VersionIdsToStages"])
        assert client.get_secret_value(SecretId=arn)["SecretString"] == "key-of-third"
    assert list(states[0].values()) == [["AWSCURRENT"]], "there is nothing to go back to"
    assert states[0] == states[1]


def test_nobody_mints_keys_here(deployed: Deployed, emulator: Emulator) -> None:
    arn = secret(emulator, "minted")
    minted = rotated(
        "minted", arn, kind=RotationKind.OPENAI_ADMIN, project="proj_1", admin_secret=arn, admin_url="https://x/v1"
    )
    deployed.deploy(minted)
    printed = deployed.prepare(upstream("minted", "http://127.0.0.1:9/v1"))
    assert "the key of minted is not rotated here" in printed
    assert deployed.told == []
    assert not emulator.client("secretsmanager").describe_secret(SecretId=arn)["RotationEnabled"]


def test_a_real_key_is_minted_really(deployed: Deployed, emulator: Emulator) -> None:
    arn = secret(emulator, "real")
    minted = rotated("real", arn, kind=RotationKind.OPENAI_ADMIN, project="proj_1", admin_secret=arn, admin_url="https://x/v1")
    deployed.deploy(minted)
    assert deployed.prepare(upstream("real", "https://real.example.com/v1"), REAL_API_KEY="sk-real") == ""
    assert deployed.told == [minted]


def test_secrets_of_other_stacks_have_other_arns_here(deployed: Deployed, emulator: Emulator) -> None:
    client = emulator.client("secretsmanager")
    assert secret_here(client, OUTSIDE) == OUTSIDE
    deployed.deploy(rotated("anthropic", OUTSIDE))
    there = upstream("anthropic", "http://127.0.0.1:9/v1")
    deployed.prepare(there)
    assert deployed.told[0].secret == OUTSIDE, "it is not there at all"
    secret(emulator, "anthropic-AbCdEf")
    assert secret_here(client, OUTSIDE) == "anthropic-AbCdEf"
    deployed.prepare(there)
    (told,) = deployed.told
    assert told == replace(rotated("anthropic", "anthropic-AbCdEf"), url="http://127.0.0.1:9/v1/models")
    assert client.describe_secret(SecretId="anthropic-AbCdEf")["RotationEnabled"]


def test_a_gateway_without_rotation(deployed: Deployed) -> None:
    deployed.deploy(tag=False)
    before = deployed.variables
    deployed.prepare(upstream("first", "http://127.0.0.1:9/v1"))
    assert deployed.variables == before
