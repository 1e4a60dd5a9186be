"""What the front answers itself, and what it gives the function."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_cli.local.rest_api_model import GatewayResponse, Method, MockIntegration, RestApi
from gateway_cli.local.throttling import Limiter, Quota, Throttle
from tests.gateway_cli.front_kit import KEY, api, key, serving


def test_a_request_reaches_the_function_as_a_proxy_event(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask("GET", "/prod/v1/models/a%2Fb/c?x=1&x=2&y=", headers={"X-Twice": "one"})
        facts = json.loads(reply.read())
    event = facts["event"]
    assert reply.status == 200
    assert (event["resource"], event["path"]) == ("/v1/models/{id+}", "/v1/models/a%2Fb/c")
    assert event["pathParameters"] == {"id": "a/b/c"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert event["headers"]["X-Twice"] == "one"
    context = event["requestContext"]
    assert context["path"] == "/prod/v1/models/a%2Fb/c"
    assert context["stage"] == "prod"
    assert context["identity"]["apiKeyId"] == "id-of-kkkk"
    assert context["authorizer"] == {"team": "search", "admin": "true", "level": "3", "principalId": "somebody"}
    assert context["requestId"] == reply.headers["x-amzn-RequestId"]
    assert reply.headers["x-amz-apigw-id"]


def test_x_api_key_works_as_well_as_bearer(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        assert front.ask(key=None, headers={"X-Api-Key": KEY}).status == 200


@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        (None, 401, {"mine": "Unauthorized"}),
        ("unknown", 403, {"message": "Forbidden"}),
        ("denied", 403, {"message": "User is not authorized to access this resource"}),
        ("broken", 500, {"message": "Internal server error"}),
    ],
)
def test_refused_keys(authorizer: Path, value: str | None, status: int, body: object) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask(key=value)
        assert (reply.status, json.loads(reply.read())) == (status, body)
        assert front.pool.pids == []


def test_a_key_that_is_disabled_or_in_no_plan_of_the_stage_is_refused(authorizer: Path) -> None:
    with serving(api(authorizer, stage="test"), keys=(key(),)) as front:
        assert front.ask(path="/test/v1/models").status == 403
    with serving(api(authorizer), keys=(key(enabled=False),)) as front:
        assert front.ask().status == 403


@pytest.mark.parametrize(
    "path", ["/", "/v1/models", "/prod", "/prod/", "/prod/v1", "/prod/v1/models/", "/production/v1/models"]
)
def test_unknown_routes(authorizer: Path, path: str) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask("GET", path)
        assert (reply.status, json.loads(reply.read())) == (403, {"message": "Missing Authentication Token"})
        assert front.ask("HEAD", path).status == 403


def test_a_gateway_response_changes_the_answer_to_an_unknown_route(authorizer: Path) -> None:
    responses = {
        "MISSING_AUTHENTICATION_TOKEN": GatewayResponse(
            status=404,
            parameters={"gatewayresponse.header.x-should-retry": "'false'"},
            templates={"application/json": '{"id":"$context.requestId","path":"$context.path"}'},
        )
    }
    with serving(api(authorizer, responses=responses)) as front:
        reply = front.ask("POST", "/prod/v1/models")
        assert reply.status == 404
        assert reply.headers["x-should-retry"] == "false"
        assert json.loads(reply.read()) == {"id": reply.headers["x-amzn-RequestId"], "path": "/prod/v1/models"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", "https://a.example"),
        ("https://b.example", "https://b.example"),
        ("https://c.example", "https://a.example"),
    ],
)
def test_preflight_is_answered_without_key_and_function(authorizer: Path, origin: str, allowed: str) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask("OPTIONS", key=None, headers={"Origin": origin})
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, allowed)
        assert front.pool.pids == []


@pytest.fixture
def unknown(authorizer: Path) -> RestApi:
    """An API with a method for unknown routes."""
    integration = MockIntegration(
        status=404,
        headers={"Access-Control-Allow-Origin": "*"},
        body='{"id":"$context.requestId"}',
        content_types=("application/json",),
    )
    known = api(authorizer)
    catch_all = Method(resource_id="4", resource="/{proxy+}", http_method="ANY", integration=integration)
    return replace(known, methods=(*known.methods, catch_all))


@pytest.mark.parametrize("content_type", [None, "application/json", "application/json; charset=utf-8"])
def test_an_unknown_route_with_a_method_is_answered_without_key_and_function(
    unknown: RestApi, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    with serving(unknown) as front:
        reply = front.ask("POST", "/prod/v1/nothing", key=None, body=b"{not json", headers=headers)
        assert (reply.status, reply.headers["Content-Type"]) == (404, "application/json")
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert json.loads(reply.read()) == {"id": reply.headers["x-amzn-RequestId"]}
        head = front.ask("HEAD", "/prod/v1/nothing", key=None)
        assert (head.status, head.read()) == (404, b"")
        assert front.pool.pids == []


def test_a_body_of_another_type_than_the_templates_is_refused(unknown: RestApi) -> None:
    with serving(unknown) as front:
        reply = front.ask("POST", "/prod/v1/files", body=b"--x", headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert (reply.status, json.loads(reply.read())) == (415, {"message": "Unsupported Media Type"})
        assert reply.headers["x-amzn-ErrorType"] == "UnsupportedMediaTypeException"


def test_throttle_and_quota(authorizer: Path) -> None:
    now = [0.0]
    limiter = Limiter(clock=lambda: now[0], today=lambda: dt.date(2026, 11, 22))
    limited = key(throttle=Throttle(1, 2), quota=Quota(3, "DAY"))
    with serving(api(authorizer), keys=(limited,), limiter=limiter) as front:
        assert [front.ask().status for _ in range(3)] == [200, 200, 429]
        now[0] += 1
        assert front.ask().status == 200
        now[0] += 1
        reply = front.ask()
        assert (reply.status, json.loads(reply.read())) == (429, {"message": "Limit Exceeded"})


def test_a_method_has_a_throttle_of_its_own(authorizer: Path) -> None:
    limiter = Limiter(clock=lambda: 0.0)
    rest_api = api(authorizer, plan_throttles={"plan": {"/v1/chat/completions/POST": Throttle(1, 1)}})
    with serving(rest_api, keys=(key(throttle=Throttle(1, 5)),), limiter=limiter) as front:
        statuses = [front.ask("POST", "/prod/v1/chat/completions").status for _ in range(2)]
        assert (statuses, front.ask().status) == ([200, 429], 200)


@pytest.mark.parametrize(
    ("size", "message"), [(10 * 1024 * 1024 + 1, "Request Too Long"), (6 * 1024 * 1024, "Request Entity Too Large")]
)
def test_bodies_that_are_too_large(authorizer: Path, size: int, message: str) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask("POST", "/prod/v1/chat/completions", body=b"x" * size)
        assert (reply.status, json.loads(reply.read())) == (413, {"message": message})


def test_binary_bodies_travel_in_base64(authorizer: Path) -> None:
    rest_api = api(authorizer, binary_media_types=("image/*",))
    with serving(rest_api) as front:

        def sent(body: bytes, content_type: str) -> tuple[str, bool]:
            reply = front.ask("POST", "/prod/v1/chat/completions", body=body, headers={"content-type": content_type})
            event = json.loads(reply.read())["event"]
            return event["body"], event["isBase64Encoded"]

        assert sent('{"ä":1}'.encode(), "application/json") == ('{"ä":1}', False)
        assert sent(b"hi", "image/png") == ("aGk=", True)
        assert sent(b"\xff", "application/json") == ("/w==", True)
