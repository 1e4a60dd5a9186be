from pathlib import Path
from typing import Any

import pytest

from gateway_cli.local.assembly import Asset, Stack
from gateway_cli.local.deployment import DeployedStack
from gateway_cli.local.rest_api_model import LambdaIntegration, MockIntegration, RestApi
from gateway_cli.local.rest_api_reader import read_rest_apis
from gateway_cli.local.throttling import Throttle

PREFLIGHT = (
    '#set($origin = $input.params().header.get("Origin"))\n#if($origin == "https://b.example" || $origin == "https://c.example")\n'
    "  #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)\n#end"
)


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def gateway(name: str, *, wrapper: bool = True) -> dict[str, Any]:
    """A gateway's resources, their logical ids beginning with its name."""
    api = {"Ref": f"{name}Api"}
    uri = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Region"}, ":lambda:path/", {"Ref": f"{name}Live"}, "/response-streaming-invocations"],
        ]
    }
    streamed = {"Type": "AWS_PROXY", "Uri": uri, "ResponseTransferMode": "STREAM", "TimeoutInMillis": 900_000}
    method = {"HttpMethod": "GET", "RestApiId": api, "ApiKeyRequired": True, "AuthorizerId": {"Ref": f"{name}Authorizer"}}
    mock = {
        "Type": "MOCK",
        "IntegrationResponses": [
            {
                "StatusCode": "204",
                "ResponseParameters": {
                    "method.response.header.Access-Control-Allow-Origin": "'https://a.example'",
                    "method.response.header.Vary": "'Origin'",
                },
                "ResponseTemplates": {"application/json": PREFLIGHT},
            }
        ],
    }
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/exec-wrapper"} if wrapper else {}
    resources = {
        "Api": of("ApiGateway::RestApi", ApiKeySourceType="AUTHORIZER", BinaryMediaTypes=["image/*"]),
        "V1": of(
            "ApiGateway::Resource", PathPart="v1", ParentId={"Fn::GetAtt": [f"{name}Api", "RootResourceId"]}, RestApiId=api
        ),
        "Models": of("ApiGateway::Resource", PathPart="models", ParentId={"Ref": f"{name}V1"}, RestApiId=api),
        "Get": of("ApiGateway::Method", ResourceId={"Ref": f"{name}Models"}, Integration=streamed, **method),
        "Options": of(
            "ApiGateway::Method", HttpMethod="OPTIONS", ResourceId={"Ref": f"{name}Models"}, RestApiId=api, Integration=mock
        ),
        "Stage": of(
            "ApiGateway::Stage",
            RestApiId=api,
            StageName="prod",
            MethodSettings=[
                {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 9, "ThrottlingBurstLimit": 10},
                {"ResourcePath": "/~1v1~1models", "HttpMethod": "GET", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2},
                {"ResourcePath": "/*", "HttpMethod": "*", "DataTraceEnabled": False},
            ],
        ),
        "Live": of("Lambda::Alias", Name="live", FunctionName={"Ref": f"{name}Function"}),
        "Function": of("Lambda::Function", Environment={"Variables": variables}),
        "Authorizer": of(
            "ApiGateway::Authorizer",
            RestApiId=api,
            AuthorizerUri={"Fn::GetAtt": [f"{name}Authorize", "Arn"]},
            IdentitySource="method.request.header.A, method.request.header.B",
            AuthorizerResultTtlInSeconds=60,
        ),
        "Authorize": of("Lambda::Function", Handler="index.handler", Code={"S3Key": "authorizer.zip"}),
        "Bad": of("ApiGateway::GatewayResponse", RestApiId=api, ResponseType="INVALID_API_KEY", StatusCode="401"),
        "Plan": of(
            "ApiGateway::UsagePlan",
            ApiStages=[{"ApiId": api, "Throttle": {"/v1/models/GET": {"RateLimit": 3, "BurstLimit": 4}}}],
        ),
    }
    return {name + key: value for key, value in resources.items()}


def read(directory: Path, resources: dict[str, Any]) -> list[RestApi]:
    asset = Asset(path=directory, zipped=True, bucket="b", key="authorizer.zip")
    stack = Stack(name="S", display_name="S", account="1", region="r", template={"Resources": resources}, assets=(asset,))
    return read_rest_apis(DeployedStack(stack=stack, physical_ids={name: f"id-{name}" for name in resources}))


def test_a_gateway(tmp_path: Path) -> None:
    (api,) = read(tmp_path, gateway("G"))
    assert (api.label, api.api_id, api.stage, api.key_from_authorizer) == ("S/GApi", "id-GApi", "prod", True)
    assert api.binary_media_types == ("image/*",)
    match = api.match("GET", "/v1/models")
    assert match
    assert match.method.integration == LambdaIntegration(
        function_name="id-GFunction", qualifier="live", timeout=900.0, streaming=True
    )
    assert match.method.api_key_required
    authorizer = match.method.authorizer
    assert authorizer
    assert (authorizer.directory, authorizer.handler, authorizer.ttl) == (tmp_path, "index.handler", 60.0)
    assert authorizer.identity_sources == ("method.request.header.A", "method.request.header.B")
    assert api.responses["INVALID_API_KEY"].status == 401
    assert api.stage_throttles == {"*/*": Throttle(9.0, 10), "/v1/models/GET": Throttle(1.0, 2)}
    assert api.plan_throttles == {"id-GPlan": {"/v1/models/GET": Throttle(3.0, 4)}}


@pytest.mark.parametrize(
    ("metadata", "tags", "label"),
    [
        # Written by `python app.py`, by the CDK CLI, and by the CLI with a construct that gave no tags.
        (None, {"team": "a", "ai-gateway:api": "Stage/Stack/Gateway"}, "Stage/Stack/Gateway"),
        ("Stack/My gateway/Api/Resource", {"ai-gateway:api": "Stack/My-gateway"}, "Stack/My-gateway"),
        ("Stack/Gateway/Api/Resource", {"team": "a"}, "Stack/Gateway"),
        ("Stack/Gateway/Api/Resource", {}, "Stack/Gateway"),
        (None, {"team": "a"}, "S/GApi"),
    ],
)
def test_a_gateway_is_called_as_commands_find_it(
    tmp_path: Path, metadata: str | None, tags: dict[str, str], label: str
) -> None:
    resources = gateway("G")
    if metadata:
        resources["GApi"]["Metadata"] = {"aws:cdk:path": metadata}
    if tags:
        resources["GApi"]["Properties"]["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    (api,) = read(tmp_path, resources)
    assert api.label == label


def test_preflight_methods(tmp_path: Path) -> None:
    (api,) = read(tmp_path, gateway("G"))
    match = api.match("OPTIONS", "/v1/models")
    assert match
    assert match.method.integration == MockIntegration(
        status=204,
        headers={"Access-Control-Allow-Origin": "https://a.example", "Vary": "Origin"},
        origins=("https://b.example", "https://c.example"),
    )
    assert not match.method.api_key_required


def test_methods_for_unknown_routes(tmp_path: Path) -> None:
    resources = gateway("G")
    resources["GUnknown"] = of(
        "ApiGateway::Method",
        HttpMethod="ANY",
        ResourceId={"Fn::GetAtt": ["GApi", "RootResourceId"]},
        RestApiId={"Ref": "GApi"},
        Integration={
            "Type": "MOCK",
            "PassthroughBehavior": "NEVER",
            "RequestTemplates": {"application/json": '{"statusCode": 404}'},
            "IntegrationResponses": [
                {"StatusCode": "500", "SelectionPattern": "5..", "ResponseTemplates": {"application/json": "other"}},
                {"StatusCode": "404", "ResponseTemplates": {"application/json": '{"id":"$context.requestId"}'}},
            ],
        },
    )
    (api,) = read(tmp_path, resources)
    match = api.match("HEAD", "/")
    assert match
    assert match.method.integration == MockIntegration(
        status=404, headers={}, body='{"id":"$context.requestId"}', content_types=("application/json",)
    )
    assert not match.method.api_key_required


def test_two_gateways_in_one_stack_stay_apart(tmp_path: Path) -> None:
    first, second = read(tmp_path, gateway("A") | gateway("B"))
    assert (first.api_id, second.api_id) == ("id-AApi", "id-BApi")
    assert len(first.methods) == len(second.methods) == 2
    assert list(first.plan_throttles) == ["id-APlan"]


@pytest.mark.parametrize("resources", [{}, gateway("G", wrapper=False)], ids=["no API", "another API"])
def test_other_apis_are_left_alone(tmp_path: Path, resources: dict[str, Any]) -> None:
    assert read(tmp_path, resources) == []


def test_a_gateway_is_called_by_its_construct_path(tmp_path: Path) -> None:
    resources = gateway("G")
    resources["GApi"]["Metadata"] = {"aws:cdk:path": "Stage/Stack/Gateway/Api/Resource"}
    assert [api.label for api in read(tmp_path, resources)] == ["Stage/Stack/Gateway"]
