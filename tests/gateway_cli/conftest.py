from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from moto import mock_aws
from moto.core.models import botocore_stubber

from tests.gateway_cli.api_gateway import ApiGateway
from tests.gateway_cli.gateways import Account

AUTHORIZER = """
def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    value = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not value:
        raise Exception("Unauthorized")
    if value == "broken":
        raise ValueError("broken")
    effect = "Deny" if value == "denied" else "Allow"
    return {
        "principalId": "somebody",
        "usageIdentifierKey": value,
        "context": {"team": "search", "admin": True, "level": 3},
        "policyDocument": {"Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]},
    }
"""


@pytest.fixture
def authorizer(tmp_path: Path) -> Path:
    """Directory of an authorizer."""
    directory = tmp_path / "authorizer"
    directory.mkdir()
    (directory / "index.py").write_text(AUTHORIZER)
    return directory


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty AWS in this process, and nothing of the machine's own settings."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def account(aws: None, monkeypatch: pytest.MonkeyPatch) -> Account:  # noqa: ARG001
    """A gateway in an otherwise empty AWS: API Gateway answers by itself, moto answers for the other services."""
    service = ApiGateway()

    def answer(event_name: str, request: AWSRequest, **more: Any) -> AWSResponse | None:
        if event_name.startswith("before-send.api-gateway."):
            return service.answer(event_name, request)
        answered: AWSResponse | None = botocore_stubber(event_name, request, **more)
        return answered

    handlers = [spec for spec in botocore.handlers.BUILTIN_HANDLERS if spec[1] is not botocore_stubber]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*handlers, ("before-send", answer)])
    # A session that boto3 keeps for the whole process would have been made without it.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return Account(service)
