from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway_cli.aws.gateways import API_TAG
from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import methods, of_type, only, routes, synthesized

pytestmark = pytest.mark.template

ROUTES = {
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{id+}"),
}


def test_the_routes(any_template: Any) -> None:
    assert {(method, path) for method, path, _ in routes(any_template)} == ROUTES


def test_every_route_streams_from_the_alias(any_template: Any) -> None:
    (alias,) = of_type(any_template, "Lambda::Alias")
    for _, _, properties in routes(any_template):
        integration = properties["Integration"]
        assert integration["Type"] == "AWS_PROXY"
        assert integration["ResponseTransferMode"] == "STREAM"
        assert integration["TimeoutInMillis"] == 900_000
        assert {"Ref": alias} in integration["Uri"]["Fn::Join"][1]
        assert "/response-streaming-invocations" in json.dumps(integration["Uri"])


def test_what_asks_for_no_key_calls_no_function(any_template: Any) -> None:
    for _, _, properties in methods(any_template):
        if not properties.get("ApiKeyRequired"):
            assert properties["Integration"]["Type"] == "MOCK"
            assert "Uri" not in properties["Integration"]


def test_every_route_wants_an_authorizer_and_a_key(any_template: Any) -> None:
    authorizers = of_type(any_template, "ApiGateway::Authorizer")
    for _, _, properties in routes(any_template):
        assert properties["AuthorizationType"] == "CUSTOM"
        assert properties["AuthorizerId"]["Ref"] in authorizers
        assert properties["ApiKeyRequired"] is True


def test_the_api_may_call_the_alias_on_these_routes_only(any_template: Any) -> None:
    (alias,) = of_type(any_template, "Lambda::Alias")
    (stage,) = of_type(any_template, "ApiGateway::Stage")
    permissions = [p for p in of_type(any_template, "Lambda::Permission").values() if p["FunctionName"] == {"Ref": alias}]
    suffixes = set()
    for permission in permissions:
        *_, stage_reference, path = permission["SourceArn"]["Fn::Join"][1]
        assert stage_reference == {"Ref": stage}
        suffixes.add(path)
    assert suffixes == {f"/{method}{path.replace('{id+}', '*')}" for method, path in ROUTES}
    assert "test-invoke-stage" not in json.dumps(permissions)


def test_nothing_but_the_alias_and_the_authorizer_is_called(any_template: Any) -> None:
    permissions = of_type(any_template, "Lambda::Permission").values()
    targets = {json.dumps(p["FunctionName"]) for p in permissions if p["Principal"] == "apigateway.amazonaws.com"}
    assert len(targets) == 2


def test_the_api(template_of: Callable[[str], Any]) -> None:
    api = only(template_of("smallest"), "ApiGateway::RestApi")
    assert api["ApiKeySourceType"] == "AUTHORIZER"
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["DisableExecuteApiEndpoint"] is False
    (function,) = (name for name in of_type(template_of("smallest"), "Lambda::Function") if "GatewayFunction" in name)
    assert api["Tags"] == [
        {"Key": API_TAG, "Value": "AiGateway/Gateway"},
        {"Key": "ai-gateway:function", "Value": {"Ref": function}},
    ]
    # JSON must reach the function as it is, and no answer may be encoded anew.
    assert not {"BinaryMediaTypes", "MinimumCompressionSize"} & api.keys()


def test_the_tag_is_the_apis_alone_and_the_tables(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    tagged = {kind["Type"] for kind in template["Resources"].values() if API_TAG in json.dumps(kind)}
    assert tagged == {"AWS::ApiGateway::RestApi"}
    (table,) = of_type(template, "DynamoDB::Table").values()
    assert [tag["Value"] for tag in table["Tags"]] == ["AiGateway/Gateway"]


def test_the_stage(template_of: Callable[[str], Any]) -> None:
    stage = only(template_of("smallest"), "ApiGateway::Stage")
    assert stage["StageName"] == "prod"
    assert stage["TracingEnabled"] is False
    assert not {"AccessLogSetting", "MethodSettings", "CacheClusterEnabled"} & stage.keys()


def test_nothing_is_put_out_or_looked_up(any_template: Any) -> None:
    assert "Outputs" not in any_template
    assert set(any_template.get("Parameters", {})) == {"BootstrapVersion"}


def test_access_logs_and_traces(template_of: Callable[[str], Any]) -> None:
    template = template_of("access-logs-and-tracing")
    stage = only(template, "ApiGateway::Stage")
    assert stage["TracingEnabled"] is True
    destination = stage["AccessLogSetting"]["DestinationArn"]
    assert destination["Fn::GetAtt"][0] in of_type(template, "Logs::LogGroup")


def test_an_access_log_line_is_json_without_the_keys_value(template_of: Callable[[str], Any]) -> None:
    line = json.loads(only(template_of("everything"), "ApiGateway::Stage")["AccessLogSetting"]["Format"])
    assert line["apiKeyId"] == "$context.identity.apiKeyId"
    assert line["requestId"] == "$context.requestId"
    assert "$context.identity.apiKey" not in line.values()
    assert not any("authorizer.principalId" in value or "header" in value for value in line.values())


def test_addresses(gateway: AiGateway) -> None:
    resolve = gateway.node.scope.resolve  # type: ignore[union-attr, attr-defined]
    api = {"Ref": "GatewayApi4EDF2151"}
    host = ["https://", api, ".execute-api.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]
    assert resolve(gateway.url) == {"Fn::Join": ["", [*host, "/prod"]]}
    assert resolve(gateway.openai_base_url) == {"Fn::Join": ["", [*host, "/prod/v1"]]}
    assert resolve(gateway.anthropic_base_url) == {"Fn::Join": ["", [*host, "/prod"]]}


def test_access_log_group_is_exposed_where_there_is_one(stack: Any) -> None:
    with_logs = AiGateway(stack, "With", upstreams=[Upstream.openai()], access_logs=True)
    without = AiGateway(stack, "Without", upstreams=[Upstream.openai()])
    assert with_logs.access_log_group is not None
    assert without.access_log_group is None
    assert len(of_type(synthesized(stack), "Logs::LogGroup")) == 5
