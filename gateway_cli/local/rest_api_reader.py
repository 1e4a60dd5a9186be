"""Reads REST APIs with a gateway's function behind them from a template, ids from the stack that was deployed from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_cli.aws.gateways import API_TAG
from gateway_cli.local.assembly import Stack
from gateway_cli.local.deployment import DeployedStack
from gateway_cli.local.rest_api_model import (
    AuthorizerModel,
    GatewayResponse,
    LambdaIntegration,
    Method,
    MockIntegration,
    RestApi,
)
from gateway_cli.local.template import logical_id, references
from gateway_cli.local.throttling import Throttle
from gateway_cli.local.worker import WRAPPER_VARIABLE

_FUNCTION, _VERSION, _ALIAS = "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias"
_DEFAULT_TIMEOUT = 29.0
_DEFAULT_TTL = 300.0
_ORIGIN = re.compile(r'\$origin\s*==\s*"([^"]+)"')
_HEADER = "method.response.header."
# The CDK writes it without quotes, which API Gateway takes.
_STATUS = re.compile(r'"?statusCode"?\s*:\s*(\d+)')


def read_rest_apis(deployed: DeployedStack) -> list[RestApi]:
    """The REST APIs of a stack whose function is started by an exec wrapper, as a gateway's is."""
    reader = _Reader(deployed)
    return [
        reader.read(name)
        for name, resource in deployed.stack.resources.items()
        if resource["Type"] == "AWS::ApiGateway::RestApi" and reader.is_gateway(name)
    ]


@dataclass(slots=True)
class _Reader:
    deployed: DeployedStack
    stack: Stack = field(init=False)
    resources: dict[str, dict[str, Any]] = field(init=False)
    ids: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.stack, self.resources, self.ids = self.deployed.stack, self.deployed.stack.resources, self.deployed.physical_ids

    def is_gateway(self, api: str) -> bool:
        for method in self._of(api, "Method").values():
            alias = logical_id(method.get("Integration", {}).get("Uri"), self.resources, _ALIAS, _VERSION, _FUNCTION)
            function = self._function(alias) if alias else None
            if function and WRAPPER_VARIABLE in self._properties(function).get("Environment", {}).get("Variables", {}):
                return True
        return False

    def read(self, api: str) -> RestApi:
        properties = self._properties(api)
        stages = list(self._of(api, "Stage").values())
        stage = stages[0] if stages else {}
        return RestApi(
            label=self._label(api),
            api_id=self.ids[api],
            stage=stage.get("StageName", "prod"),
            account=self.stack.account,
            region=self.stack.region,
            methods=tuple(self._method(method) for method in self._of(api, "Method").values()),
            responses={
                response["ResponseType"]: GatewayResponse(
                    status=int(response["StatusCode"]) if "StatusCode" in response else None,
                    parameters=response.get("ResponseParameters", {}),
                    templates=response.get("ResponseTemplates", {}),
                )
                for response in self._of(api, "GatewayResponse").values()
            },
            binary_media_types=tuple(properties.get("BinaryMediaTypes", ())),
            key_from_authorizer=properties.get("ApiKeySourceType") == "AUTHORIZER",
            stage_throttles={
                f"{setting.get('ResourcePath', '/*').replace('~1', '/').removeprefix('/') or '/'}": found
                for setting in _stage_settings(stage)
                if (found := _throttle(setting, "ThrottlingRateLimit", "ThrottlingBurstLimit"))
            },
            plan_throttles=self._plan_throttles(api),
        )

    def _label(self, api: str) -> str:
        """The gateway's construct path, as the tag has it by which commands find its API.

        An API without the tag is that of an older version of the construct. Its own path is in the metadata, if the CDK CLI had
        the template made: `Api` inside the gateway, and `Resource` inside that.
        """
        for tag in self._properties(api).get("Tags", ()):
            if tag["Key"] == API_TAG:
                return str(tag["Value"])
        path = self.resources[api].get("Metadata", {}).get("aws:cdk:path")
        return str(path).removesuffix("/Resource").removesuffix("/Api") if path else f"{self.stack.display_name}/{api}"

    def _properties(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.resources[name].get("Properties", {})
        return properties

    def _of(self, api: str, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of an API's resources of a kind, by logical id."""
        return {
            name: self._properties(name)
            for name, resource in self.resources.items()
            if resource["Type"] == f"AWS::ApiGateway::{kind}" and api in references(self._properties(name).get("RestApiId"))
        }

    def _function(self, name: str) -> str | None:
        """The function behind an alias or a version."""
        if self.resources[name]["Type"] == _FUNCTION:
            return name
        return logical_id(self._properties(name).get("FunctionName"), self.resources, _FUNCTION)

    def _path(self, resource: str | None) -> str:
        if resource is None or self.resources[resource]["Type"] != "AWS::ApiGateway::Resource":
            return ""
        properties = self._properties(resource)
        parent = next(references(properties["ParentId"]), None)
        return f"{self._path(parent)}/{properties['PathPart']}"

    def _method(self, method: Mapping[str, Any]) -> Method:
        resource = next(references(method["ResourceId"]), None)
        authorizer = logical_id(method.get("AuthorizerId"), self.resources, "AWS::ApiGateway::Authorizer")
        return Method(
            resource_id=self.ids.get(resource or "", "root"),
            resource=self._path(resource) or "/",
            http_method=method["HttpMethod"],
            integration=self._integration(method.get("Integration", {})),
            api_key_required=method.get("ApiKeyRequired", False),
            authorizer=self._authorizer(authorizer) if authorizer else None,
        )

    def _integration(self, integration: Mapping[str, Any]) -> LambdaIntegration | MockIntegration | None:
        if integration.get("Type") == "MOCK":
            return _mock(integration)
        target = logical_id(integration.get("Uri"), self.resources, _ALIAS, _VERSION, _FUNCTION)
        function = self._function(target) if target else None
        if integration.get("Type") != "AWS_PROXY" or target is None or function is None:
            return None
        qualifier = None
        if self.resources[target]["Type"] == _ALIAS:
            qualifier = str(self._properties(target)["Name"])
        elif self.resources[target]["Type"] == _VERSION:
            qualifier = self.ids[target].rpartition(":")[2]
        return LambdaIntegration(
            function_name=self.ids[function],
            qualifier=qualifier,
            timeout=float(integration.get("TimeoutInMillis", _DEFAULT_TIMEOUT * 1000)) / 1000,
            streaming=integration.get("ResponseTransferMode") == "STREAM",
        )

    def _authorizer(self, name: str) -> AuthorizerModel | None:
        authorizer = self._properties(name)
        function = logical_id(authorizer.get("AuthorizerUri"), self.resources, _FUNCTION)
        directory = self._asset(function) if function else None
        if function is None or directory is None:
            return None
        return AuthorizerModel(
            handler=self._properties(function)["Handler"],
            directory=directory,
            identity_sources=tuple(
                source.strip() for source in authorizer.get("IdentitySource", "").split(",") if source.strip()
            ),
            ttl=float(authorizer.get("AuthorizerResultTtlInSeconds", _DEFAULT_TTL)),
        )

    def _asset(self, function: str) -> Path | None:
        key = self._properties(function).get("Code", {}).get("S3Key")
        return next((asset.path for asset in self.stack.assets if asset.key == key and asset.path.is_dir()), None)

    def _plan_throttles(self, api: str) -> dict[str, dict[str, Throttle]]:
        found: dict[str, dict[str, Throttle]] = {}
        for name, resource in self.resources.items():
            if resource["Type"] != "AWS::ApiGateway::UsagePlan":
                continue
            for stage in self._properties(name).get("ApiStages", []):
                if api in references(stage.get("ApiId")):
                    throttles = {path: _throttle(limits) for path, limits in stage.get("Throttle", {}).items()}
                    found[self.ids[name]] = {path: limit for path, limit in throttles.items() if limit}
        return found


def _throttle(limits: Mapping[str, Any], rate: str = "RateLimit", burst: str = "BurstLimit") -> Throttle | None:
    return Throttle(float(limits[rate]), int(limits.get(burst, 0))) if rate in limits else None


def _stage_settings(stage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A stage's method settings with `ResourcePath` made into `path/METHOD`."""
    return [
        {**setting, "ResourcePath": f"{setting.get('ResourcePath', '/*')}/{setting.get('HttpMethod', '*')}"}
        for setting in stage.get("MethodSettings", [])
    ]


def _mock(integration: Mapping[str, Any]) -> MockIntegration:
    requests = integration.get("RequestTemplates", {})
    response = _selected(integration.get("IntegrationResponses", []), requests.get("application/json", ""))
    template = response.get("ResponseTemplates", {}).get("application/json", "")
    is_directive = template.startswith("#")
    return MockIntegration(
        status=int(response.get("StatusCode", 200)),
        headers={
            name.removeprefix(_HEADER): value.removeprefix("'").removesuffix("'")
            for name, value in response.get("ResponseParameters", {}).items()
            if isinstance(value, str) and name.startswith(_HEADER)
        },
        # The CDK writes one template for preflight requests from more than one origin, and this reads that one.
        origins=tuple(_ORIGIN.findall(template)) if "responseOverride.header.Access-Control-Allow-Origin" in template else (),
        body="" if is_directive else template,
        content_types=() if integration.get("PassthroughBehavior", "WHEN_NO_MATCH") == "WHEN_NO_MATCH" else tuple(requests),
    )


def _selected(responses: Sequence[Mapping[str, Any]], request_template: str) -> Mapping[str, Any]:
    """The integration response for the status that the request template gives: one with a pattern for it, or the default."""
    found = _STATUS.search(request_template)
    status = found[1] if found else ""
    patterns = [response for response in responses if response.get("SelectionPattern")]
    defaults = [response for response in responses if not response.get("SelectionPattern")]
    matching = [response for response in patterns if re.fullmatch(response["SelectionPattern"], status)]
    return next(iter([*matching, *defaults]), {})
