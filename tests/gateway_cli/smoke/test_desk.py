"""Who is tested, as AWS tells: the address, the consumer's key, an upstream of the gateway or a preset."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from gateway_cli.aws.gateways import Gateway
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_cli.running import RunningGateways
from gateway_cli.smoke import desk
from gateway_cli.smoke.address import url_of
from gateway_cli.smoke.desk import asked_upstream, found_gateway
from gateway_cli.smoke.presets import PRESETS
from lambda_runtime.config import GatewayConfig, UpstreamConfig
from lambda_runtime.config.federation import OpenAiFederation
from tests.gateway_cli.gateways import Account

WHERE = Where(region="us-east-1")


@pytest.fixture
def served(account: Account) -> Account:
    """A gateway whose REST API has a stage and no domain."""
    answers(account)
    return account


def answers(
    account: Account,
    *,
    api: dict[str, Any] | None = None,
    stages: tuple[str, ...] = ("prod",),
    domains: dict[str, list[dict[str, str]]] | None = None,
) -> None:
    """What API Gateway says of addresses.

    Args:
        account: the gateway's.
        api: its REST API.
        stages: their names.
        domains: mappings by name.
    """
    known: Any = account.service
    known._GetRestApi = lambda *_: {"id": account.api, **(api or {})}
    known._GetStages = lambda *_: {"item": [{"stageName": stage} for stage in stages]}
    known._GetDomainNames = lambda *_: {"item": [{"domainName": name} for name in domains or {}]}
    known._GetBasePathMappings = lambda parts, *_: {"item": (domains or {})[parts[1]]}


def url(account: Account) -> str:
    connection = WHERE.connect()
    gateway = desk.find_gateway(connection, account.client(), stack=None, gateway=None)
    return url_of(connection, account.client(), gateway, Output())


def test_api_gateways_address(served: Account) -> None:
    assert url(served) == f"https://{served.api}.execute-api.us-east-1.amazonaws.com/prod"


def test_a_domain(served: Account) -> None:
    mapping = {"restApiId": served.api, "stage": "prod"}
    answers(served, domains={"other.example.com": [{"restApiId": "other"}], "llm.example.com": [mapping]})
    assert url(served) == "https://llm.example.com"
    answers(served, domains={"llm.example.com": [{**mapping, "basePath": "ai"}]})
    assert url(served) == "https://llm.example.com/ai"
    answers(served, domains={"llm.example.com": [{**mapping, "basePath": "(none)"}]})
    assert url(served) == "https://llm.example.com"


def test_a_domain_that_nobody_may_see(served: Account, capsys: pytest.CaptureFixture[str]) -> None:
    served.service.refused["GetDomainNames"] = ("AccessDeniedException", "no")
    assert url(served).endswith(".amazonaws.com/prod")
    assert "without the permission apigateway:GET on /domainnames" in capsys.readouterr().out
    served.service.refused["GetDomainNames"] = ("TooManyRequestsException", "slow down")
    with pytest.raises(ClientError):
        url(served)


def test_an_address_that_is_switched_off(served: Account) -> None:
    answers(served, api={"disableExecuteApiEndpoint": True})
    with pytest.raises(CommandError, match="through its domain only, which is not found; name its address with --url"):
        url(served)


def test_a_private_gateway(served: Account, capsys: pytest.CaptureFixture[str]) -> None:
    answers(served, api={"endpointConfiguration": {"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}})
    assert url(served) == f"https://{served.api}-vpce-1.execute-api.us-east-1.amazonaws.com/prod"
    assert "it is reached from its VPC only" in capsys.readouterr().out


def test_an_api_that_was_never_deployed(served: Account) -> None:
    answers(served, stages=())
    with pytest.raises(CommandError, match="has no stage"):
        url(served)


@pytest.mark.parametrize(
    ("gateways", "urls", "found"),
    [
        (("AiGateway/Gateway",), ("http://127.0.0.1:1/prod",), "http://127.0.0.1:1/prod"),
        (("Other/One", "AiGateway/Gateway"), ("http://127.0.0.1:1/prod", "http://127.0.0.1:2/prod"), "http://127.0.0.1:2/prod"),
        (("With space/Gateway",), ("http://127.0.0.1:1/prod",), "http://127.0.0.1:1/prod"),
        (("AiGateway/Gateway",), (), None),
    ],
)
def test_a_local_gateway(served: Account, gateways: tuple[str, ...], urls: tuple[str, ...], found: str | None) -> None:
    connection = WHERE.connect()
    gateway = desk.find_gateway(connection, served.client(), stack=None, gateway=None)
    run = RunningGateways(pid=1, endpoint_url="http://127.0.0.1:3", region="us-east-1", gateways=gateways, urls=urls)
    local = type(connection)(session=connection.session, local=run)
    if found is None:
        with pytest.raises(CommandError, match="name its address with --url"):
            url_of(local, served.client(), gateway, Output())
    else:
        assert url_of(local, served.client(), gateway, Output()) == found


def test_a_consumers_key(served: Account, capsys: pytest.CaptureFixture[str]) -> None:
    old = served.add_consumer("search")
    new = served.service.add_key(name="new", description="AI gateway consumer search", createdDate=1_790_000_001)
    served.members("search").append(new)
    known: Any = served.service
    known._GetApiKey = lambda parts, *_: served.service.keys[parts[1]]
    tested = found_gateway(WHERE, (), consumer="search", timeout=1, notes=Output())
    assert tested.key == served.service.keys[new]["value"]
    assert tested.key not in capsys.readouterr().out
    served.service.keys[new]["enabled"] = False
    assert found_gateway(WHERE, (), consumer="search", timeout=1, notes=Output()).key == served.service.keys[old]["value"]
    served.service.keys[old]["enabled"] = False
    with pytest.raises(CommandError, match="'search' has no key that works") as caught:
        found_gateway(WHERE, (), consumer="search", timeout=1, notes=Output())
    assert caught.value.status == FAILED


class Functions:
    """A connection to Lambda alone."""

    local = None

    def __init__(self, **configuration: Any) -> None:
        self.configuration = configuration
        self.session = WHERE.connect().session

    def client(self, _service: str) -> Any:
        return self

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        if not self.configuration:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetFunctionConfiguration")
        return self.configuration


@pytest.mark.parametrize(
    ("configuration", "found"),
    [
        ({"FunctionName": "f", "LoggingConfig": {"LogGroup": "own logs"}}, "--log-group-name 'own logs'"),
        ({"FunctionName": "f"}, "--log-group-name /aws/lambda/f"),
    ],
)
def test_the_command_that_finds_a_request(configuration: dict[str, Any], found: str) -> None:
    gateway = Gateway(api="a", path="Stack/Gateway", stack="", found="", function="f")
    search = desk._log_search(cast("Any", Functions(**configuration)), gateway, Where(profile="two words"))
    end = "--filter-pattern '\"req-1\"' --region us-east-1 --profile 'two words'"
    assert search("req-1") == f"aws logs filter-log-events {found} {end}"


def test_without_the_functions_name_words_have_to_do(served: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AI_GATEWAY_KEY", "key")
    tested = found_gateway(WHERE, ("gpt-4",), consumer=None, timeout=1, notes=Output())
    assert tested.models == ("gpt-4",)
    assert "look in the log of the gateway's function" in tested.find_in_logs("req-1")
    gateway = Gateway(api=served.api, path="Stack/Gateway", stack="", found="", function="f")
    assert "look in the log" in desk._log_search(cast("Any", Functions()), gateway, WHERE)("req-1")
    local = Functions()
    local.local = cast("Any", object())
    assert "'ai-gateway local --verbose'" in desk._log_search(cast("Any", local), gateway, WHERE)("req-1")


def configured(monkeypatch: pytest.MonkeyPatch, *upstreams: UpstreamConfig) -> None:
    config = GatewayConfig(upstreams=upstreams)
    monkeypatch.setattr(desk, "_configurations", lambda *_: [config])


def test_an_upstream_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    own = UpstreamConfig(name="holysheep", endpoints=PRESETS["openai"].endpoints)
    configured(monkeypatch, own)
    found, configurations = asked_upstream("holysheep", WHERE, Output())
    assert (found, len(configurations)) == (own, 1)
    with pytest.raises(CommandError, match="did you mean 'holysheep'") as caught:
        asked_upstream("holyshep", WHERE, Output())
    assert caught.value.status == MISTAKEN


def test_a_preset_that_the_gateway_has_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    configured(monkeypatch, PRESETS["openai"])
    assert asked_upstream("deepseek", Where(), Output()) == (PRESETS["deepseek"], ())
    assert "the gateway has no upstream 'deepseek'" in capsys.readouterr().out
    with pytest.raises(CommandError, match="has no upstream 'deepseek'"):
        asked_upstream("deepseek", WHERE, Output())


def test_a_preset_without_any_gateway(served: Account, capsys: pytest.CaptureFixture[str]) -> None:
    served.service.apis.clear()
    assert asked_upstream("openai", Where(), Output()) == (PRESETS["openai"], ())
    assert "no gateway is asked (there is no gateway in Region us-east-1" in capsys.readouterr().out
    with pytest.raises(CommandError, match="there is no gateway"):
        asked_upstream("openai", WHERE, Output())
    with pytest.raises(CommandError, match="there is no gateway"):
        asked_upstream("not-a-preset", Where(), Output())


def test_a_preset_without_credentials(served: Account, capsys: pytest.CaptureFixture[str]) -> None:
    served.service.refused["GetRestApis"] = ("ExpiredTokenException", "expired")
    assert asked_upstream("openai", Where(), Output())[0] is PRESETS["openai"]
    assert "AWS refuses that" in capsys.readouterr().out


def test_an_upstream_that_takes_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    federation = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa_1")
    configured(monkeypatch, UpstreamConfig(name="openai", endpoints=PRESETS["openai"].endpoints, federation=federation))
    with pytest.raises(CommandError, match="only the gateway's function can get; test it through the gateway") as caught:
        asked_upstream("openai", WHERE, Output())
    assert str(caught.value).endswith("ai-gateway smoke gateway --region us-east-1")
