import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from gateway_cli.console import Output
from gateway_cli.local.upstreams import UpstreamPlan, fill_secrets, read_upstreams
from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    UpstreamConfig,
)
from lambda_runtime.config.federation import AnthropicFederation, OpenAiFederation


def upstream(name: str, auth: AuthStyle = AuthStyle.BEARER) -> UpstreamConfig:
    return UpstreamConfig(
        name=name,
        endpoints=(
            Endpoint(base_url=f"https://{name}.example/v1", auth=auth, operations=OPENAI_OPERATIONS),
            Endpoint(base_url=f"https://{name}.example", auth=auth, operations=ANTHROPIC_OPERATIONS),
        ),
    )


@pytest.fixture
def code(tmp_path: Path) -> Path:
    directory = tmp_path / "code"
    directory.mkdir()
    config = GatewayConfig(upstreams=(upstream("openai"), upstream("my-own"), upstream("free", AuthStyle.NONE)))
    (directory / "gateway.json").write_text(config.to_json())
    (directory / "exec-wrapper").write_text("#!/bin/sh\n")
    (directory / "exec-wrapper").chmod(0o755)
    return directory


def plan(tmp_path: Path, *, stand_in: bool = True, **environment: str) -> UpstreamPlan:
    found = UpstreamPlan(environment=environment, stand_in=stand_in, scratch=tmp_path)
    found.stand_in_url = "http://127.0.0.1:1"
    return found


def base_urls(directory: Path) -> dict[str, list[str]]:
    config = GatewayConfig.from_json((directory / "gateway.json").read_text())
    return {found.name: [endpoint.base_url for endpoint in found.endpoints] for found in config.upstreams}


def test_only_upstreams_without_a_key_go_to_the_stand_in(code: Path, tmp_path: Path) -> None:
    copy = plan(tmp_path, MY_OWN_API_KEY="k", OPENAI_API_KEY="").prepare(code)
    assert base_urls(copy) == {
        "openai": ["http://127.0.0.1:1/v1", "http://127.0.0.1:1/anthropic"],
        "my-own": ["https://my-own.example/v1", "https://my-own.example"],
        "free": ["https://free.example/v1", "https://free.example"],
    }
    assert (copy / "exec-wrapper").stat().st_mode & 0o111
    assert base_urls(code)["openai"][0] == "https://openai.example/v1", "the assembly stays as it is"


def test_nothing_is_copied_where_nothing_changes(code: Path, tmp_path: Path) -> None:
    assert plan(tmp_path, OPENAI_API_KEY="k", MY_OWN_API_KEY="k").prepare(code) == code
    assert plan(tmp_path, stand_in=False).prepare(code) == code
    assert not plan(tmp_path, stand_in=False).needs_stand_in([code])
    assert plan(tmp_path).needs_stand_in([code, tmp_path])


def test_keys_are_put_into_the_secrets(code: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        own = client.create_secret(Name="own", SecretString=json.dumps({"placeholder": True}))["ARN"]
        foreign = "arn:aws:secretsmanager:us-east-1:111122223333:secret:team/openai-AbCdEf"
        variables = {"UPSTREAM_SECRET_MY_OWN": own, "UPSTREAM_SECRET_OPENAI": foreign}
        replaced = fill_secrets(client, plan(tmp_path, MY_OWN_API_KEY="real"), read_upstreams(code), variables, Output())
        assert client.get_secret_value(SecretId=own)["SecretString"] == "real"
        # A secret of another stack is not here, so there is one in its place.
        assert client.get_secret_value(SecretId=replaced["UPSTREAM_SECRET_OPENAI"])["SecretString"] == "stand-in"
        fill_secrets(client, plan(tmp_path, stand_in=False), read_upstreams(code), variables, Output())
    assert "set OPENAI_API_KEY and start again" in capsys.readouterr().out


@pytest.fixture
def federated(tmp_path: Path) -> Path:
    """The code of a gateway that stores no key."""
    openai = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa-1")
    anthropic = AnthropicFederation(
        federation_rule_id="fdrl_1", organization_id="11112222-3333-4444-5555-666677778888", service_account_id="svac_1"
    )
    bearer, oauth = AuthStyle.BEARER, AuthStyle.ANTHROPIC_OAUTH
    upstreams = (
        UpstreamConfig(
            name="openai",
            endpoints=(Endpoint(base_url="https://openai.example/v1", auth=bearer, operations=OPENAI_OPERATIONS),),
            federation=openai,
        ),
        UpstreamConfig(
            name="anthropic",
            endpoints=(Endpoint(base_url="https://anthropic.example", auth=oauth, operations=ANTHROPIC_OPERATIONS),),
            federation=anthropic,
        ),
    )
    directory = tmp_path / "federated"
    directory.mkdir()
    (directory / "gateway.json").write_text(GatewayConfig(upstreams=upstreams).to_json())
    return directory


def test_federated_upstreams_take_a_key_here(federated: Path, tmp_path: Path) -> None:
    """No provider trusts the embedded AWS: the stand-in answers, or the user's own key is sent."""
    assert plan(tmp_path).needs_stand_in([federated])
    copy = plan(tmp_path, ANTHROPIC_API_KEY="real").prepare(federated)
    openai, anthropic = read_upstreams(copy)
    assert (openai.federation, anthropic.federation) == (None, None)
    assert base_urls(copy) == {"openai": ["http://127.0.0.1:1/v1"], "anthropic": ["https://anthropic.example"]}
    assert [found.endpoints[0].auth for found in (openai, anthropic)] == [AuthStyle.BEARER, AuthStyle.X_API_KEY]
    assert read_upstreams(federated)[0].federation is not None, "the assembly stays as it is"


def test_they_are_no_longer_federated_without_a_stand_in_either(
    federated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = UpstreamPlan(environment={"OPENAI_API_KEY": "real"}, stand_in=False, scratch=tmp_path)
    assert not found.needs_stand_in([federated])
    upstreams = read_upstreams(found.prepare(federated))
    assert [upstream.needs_key for upstream in upstreams] == [True, True]
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        for _ in range(2):  # two gateways in one run
            replaced = fill_secrets(client, found, upstreams, {}, Output())
            assert list(replaced) == ["UPSTREAM_SECRET_OPENAI"]
            assert client.get_secret_value(SecretId=replaced["UPSTREAM_SECRET_OPENAI"])["SecretString"] == "real"
    assert "upstream 'anthropic' has no key and will fail: set ANTHROPIC_API_KEY" in capsys.readouterr().out
