"""A REST API as API Gateway sees it: its methods, and which one a request is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from gateway_cli.local.throttling import Throttle


@dataclass(frozen=True, kw_only=True, slots=True)
class LambdaIntegration:
    """A method that a function answers.

    Args:
        function_name: name of the function in the emulator.
        qualifier: name of an alias, number of a version, or None for `$LATEST`.
        timeout: seconds until API Gateway gives up.
        streaming: whether the response transfer mode is STREAM.
    """

    function_name: str
    qualifier: str | None
    timeout: float
    streaming: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MockIntegration:
    """A method that API Gateway answers itself, as it does for CORS preflight requests and unknown routes.

    Args:
        status: the HTTP status.
        headers: the headers.
        origins: further origins, each of which is sent back as the allowed one when the request comes from it.
        body: template of the body; `$context.requestId` is all that is filled in.
        content_types: a request with a body of another type is refused; empty for any.
    """

    status: int
    headers: Mapping[str, str]
    origins: tuple[str, ...] = ()
    body: str = ""
    content_types: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizerModel:
    """A REQUEST authorizer.

    Args:
        handler: its handler, `module.function`.
        directory: its code.
        identity_sources: what must be in the request, such as `method.request.header.Authorization`.
        ttl: seconds for which its result is kept.
    """

    handler: str
    directory: Path
    identity_sources: tuple[str, ...]
    ttl: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method of a resource.

    Args:
        resource_id: id of the resource.
        resource: path of the resource as the template writes it, such as `/v1/models/{id+}`.
        http_method: the HTTP method, or `ANY`.
        integration: what answers; None for a kind of integration that is not imitated.
        api_key_required: whether a key must be given.
        authorizer: what decides about requests, or None.
    """

    resource_id: str
    resource: str
    http_method: str
    integration: LambdaIntegration | MockIntegration | None
    api_key_required: bool = False
    authorizer: AuthorizerModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayResponse:
    """How a template wants API Gateway's own answers of one type to look.

    Args:
        status: the status, or None for the type's own.
        parameters: values by `gatewayresponse.header.<name>`.
        templates: body templates by content type.
    """

    status: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A request's method and what it puts into the path's parameters."""

    method: Method
    path_parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RestApi:
    """A deployed REST API with one stage.

    Args:
        label: construct path, to tell gateways apart.
        api_id: its id.
        stage: name of the stage.
        account: account id.
        region: Region.
        methods: its methods.
        responses: gateway responses by type.
        binary_media_types: content types whose bodies reach the function in base64.
        key_from_authorizer: whether the authorizer gives the key, instead of the header `x-api-key`.
        stage_throttles: the stage's own limits by `resource/METHOD`; `*/*` is for every method.
        plan_throttles: per-method limits of usage plans by plan id, then by `resource/METHOD`.
    """

    label: str
    api_id: str
    stage: str
    account: str
    region: str
    methods: tuple[Method, ...]
    responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    binary_media_types: tuple[str, ...] = ()
    key_from_authorizer: bool = False
    stage_throttles: Mapping[str, Throttle] = field(default_factory=dict)
    plan_throttles: Mapping[str, Mapping[str, Throttle]] = field(default_factory=dict)

    def match(self, http_method: str, path: str) -> Match | None:
        """The method for a request, or None.

        Literal segments win over parameters, and parameters over greedy ones, segment by segment from the left. Of one
        resource's methods the one that is named wins over `ANY`.

        Args:
            http_method: such as `POST`.
            path: the raw path behind the stage, beginning with a slash.
        """
        segments = [] if path == "/" else path.split("/")[1:]
        best: tuple[tuple[list[int], bool], Method, dict[str, str]] | None = None
        for method in self.methods:
            if method.http_method not in {http_method, "ANY"}:
                continue
            found = _fit(method.resource, segments)
            if found is None:
                continue
            rank = (found[0], method.http_method == "ANY")
            if best is None or rank < best[0]:
                best = (rank, method, found[1])
        return Match(method=best[1], path_parameters=best[2]) if best else None


def _fit(resource: str, segments: list[str]) -> tuple[list[int], dict[str, str]] | None:
    """How well a resource fits (the smaller the better) and its parameters, or None if it does not."""
    pattern = [] if resource == "/" else resource.split("/")[1:]
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for index, part in enumerate(pattern):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(segments[index:])
            if not rest:
                return None
            parameters[part[1:-2]] = unquote(rest)
            return [*rank, 2], parameters
        if index >= len(segments):
            return None
        if part.startswith("{"):
            if not segments[index]:
                return None
            parameters[part[1:-1]] = unquote(segments[index])
            rank.append(1)
        elif part == segments[index]:
            rank.append(0)
        else:
            return None
    return (rank, parameters) if len(pattern) == len(segments) else None
