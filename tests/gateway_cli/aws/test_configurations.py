"""Reading configurations out of functions' code. AWS's answers are written here: moto does not give them."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from gateway_cli.aws.configurations import UnknownConfigurationError, read_configurations
from gateway_cli.aws.connection import Connection
from gateway_cli.aws.tables import GatewayTable
from lambda_runtime.config import GatewayConfig
from tests.gateway_cli.upstreams.conftest import configuration

TABLE = GatewayTable(name="ours", gateway="AiGateway/Gateway", stack="AiGateway", found="as named")
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:gateway"
ALIAS = {"ResourceType": "AWS::Lambda::Alias", "PhysicalResourceId": f"{ARN}:live"}
OTHERS = [
    {"ResourceType": "AWS::Lambda::Function", "PhysicalResourceId": "gateway"},
    {"ResourceType": "AWS::Lambda::Alias", "PhysicalResourceId": f"{ARN}:other"},
    {"ResourceType": "AWS::Lambda::Alias"},
]


@dataclass
class Account:
    """CloudFormation, Lambda and the connection to them."""

    code: dict[str, Path]
    alias: dict[str, Any] = field(default_factory=lambda: {"FunctionVersion": "7"})
    resources: list[dict[str, str]] = field(default_factory=lambda: [*OTHERS, ALIAS])
    table: str = "ours"
    local: None = None

    def client(self, _service: str) -> Any:
        return self

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert StackName == "AiGateway"
        for resource in self.resources:
            yield {"StackResourceSummaries": [resource]}

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        assert (FunctionName, Name) == (ARN, "live")
        return self.alias

    def get_function(self, *, FunctionName: str, Qualifier: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == ARN
        if Qualifier not in self.code:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetFunction")
        variables = {"AI_GATEWAY_TABLE": self.table}
        return {
            "Configuration": {"Environment": {"Variables": variables}},
            "Code": {"Location": self.code[Qualifier].as_uri()},
        }

    def read(self, table: GatewayTable = TABLE) -> list[GatewayConfig]:
        return read_configurations(cast("Connection", self), table)

    def refusal(self, table: GatewayTable = TABLE) -> str:
        with pytest.raises(UnknownConfigurationError) as caught:
            self.read(table)
        return str(caught.value)


def code(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return path


@pytest.fixture
def account(tmp_path: Path) -> Account:
    stable, new = configuration(), configuration(serve_unmapped_models=False)
    return Account(
        {
            "7": code(tmp_path / "7.zip", gateway_json=stable.to_json()),
            "8": code(tmp_path / "8.zip", gateway_json=new.to_json()),
        }
    )


def test_the_versions_that_take_requests(account: Account) -> None:
    assert [config.serve_unmapped_models for config in account.read()] == [True]
    account.alias["RoutingConfig"] = {"AdditionalVersionWeights": {"8": 0.05}}
    assert [config.serve_unmapped_models for config in account.read()] == [True, False]


def test_a_table_without_a_stack(account: Account) -> None:
    table = GatewayTable(name="ours", gateway="AiGateway/Gateway", stack="", found="as named")
    assert account.refusal(table) == "the table belongs to no stack"


def test_another_gateway_of_the_stack(account: Account) -> None:
    account.table = "theirs"
    assert account.refusal() == "no function of the stack AiGateway uses the table ours"


def test_an_operator_who_may_not_read_functions(account: Account) -> None:
    account.alias["FunctionVersion"] = "9"
    assert "AccessDeniedException" in account.refusal()


@pytest.mark.parametrize(
    "files", [{}, {"gateway_json": "{}"}, {"gateway_json": "[]"}, {"gateway_json": "not JSON"}, {"other_json": "{}"}]
)
def test_code_of_another_time(account: Account, tmp_path: Path, files: dict[str, str]) -> None:
    account.code["7"] = code(tmp_path / "other.zip", **files)
    assert account.refusal().startswith("its configuration cannot be read (")


def test_code_that_cannot_be_had(account: Account, tmp_path: Path) -> None:
    account.code["7"] = tmp_path / "missing.zip"
    assert account.refusal().startswith("its configuration cannot be read (URLError: ")
    (tmp_path / "missing.zip").write_text("no zip")
    assert account.refusal().startswith("its configuration cannot be read (BadZipFile: ")
