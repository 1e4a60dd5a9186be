from dataclasses import replace

import pytest

from gateway_cli.local.rest_api_model import Method, RestApi

RESOURCES = [
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{id+}"),
    ("GET", "/v1/models/special"),
    ("ANY", "/v1/{any}/list"),
    ("GET", "/"),
]
CATCHING_ALL = [("ANY", "/{proxy+}"), ("ANY", "/"), ("ANY", "/v1/models"), *RESOURCES]
API = RestApi(
    label="",
    api_id="",
    stage="prod",
    account="",
    region="",
    methods=tuple(Method(resource_id="", resource=path, http_method=method, integration=None) for method, path in RESOURCES),
)


@pytest.mark.parametrize(
    ("method", "path", "resource", "parameters"),
    [
        ("GET", "/", "/", {}),
        ("GET", "/v1/models", "/v1/models", {}),
        ("GET", "/v1/models/a", "/v1/models/{id+}", {"id": "a"}),
        ("GET", "/v1/models/a/b%20c", "/v1/models/{id+}", {"id": "a/b c"}),
        ("GET", "/v1/models/special", "/v1/models/special", {}),
        ("GET", "/v1/models/list", "/v1/models/{id+}", {"id": "list"}),
        ("POST", "/v1/models/list", "/v1/{any}/list", {"any": "models"}),
        ("GET", "/v1/other/list", "/v1/{any}/list", {"any": "other"}),
    ],
)
def test_a_request_finds_its_method(method: str, path: str, resource: str, parameters: dict[str, str]) -> None:
    match = API.match(method, path)
    assert match is not None
    assert (match.method.resource, match.path_parameters) == (resource, parameters)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v1/models", ("GET", "/v1/models")),
        ("POST", "/v1/models", ("ANY", "/v1/models")),
        ("HEAD", "/", ("ANY", "/")),
        ("GET", "/v2", ("ANY", "/{proxy+}")),
        ("GET", "/v1/models/", ("ANY", "/{proxy+}")),
        ("POST", "/v1/models/list", ("ANY", "/v1/{any}/list")),
    ],
)
def test_any_is_for_what_is_not_named(method: str, path: str, found: tuple[str, str]) -> None:
    methods = tuple(Method(resource_id="", resource=at, http_method=name, integration=None) for name, at in CATCHING_ALL)
    match = replace(API, methods=methods).match(method, path)
    assert match is not None
    assert (match.method.http_method, match.method.resource) == found


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/models"), ("GET", "/v1"), ("GET", "/v1/models/"), ("GET", "/v2"), ("GET", "/v1//list")]
)
def test_a_request_finds_none(method: str, path: str) -> None:
    assert API.match(method, path) is None
