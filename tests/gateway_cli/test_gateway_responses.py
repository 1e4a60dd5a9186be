import json

import pytest

from gateway_cli.local.gateway_responses import Refusal, RequestContext, render
from gateway_cli.local.rest_api_model import GatewayResponse

REQUEST = RequestContext(
    context={"requestId": "id-1", "stage": "prod"}, headers={"accept": "text/plain, */*", "origin": "https://a.example"}
)


@pytest.mark.parametrize(
    ("kind", "status", "message", "error_type"),
    [
        ("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"),
        ("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException"),
        ("UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException"),
        ("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException"),
        ("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException"),
        ("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException"),
    ],
)
def test_defaults(kind: str, status: int, message: str, error_type: str) -> None:
    rendered = render(Refusal(kind=kind), {}, REQUEST)
    assert (rendered.status, json.loads(rendered.body)) == (status, {"message": message})
    assert rendered.headers == {"Content-Type": "application/json", "x-amzn-ErrorType": error_type}


def test_a_template_decides_about_status_headers_and_body() -> None:
    response = GatewayResponse(
        status=401,
        parameters={
            "gatewayresponse.header.A": "'literal'",
            "gatewayresponse.header.B": "context.requestId",
            "gatewayresponse.header.C": "method.request.header.Origin",
            "gatewayresponse.header.D": "method.request.header.Absent",
        },
        templates={"application/json": '{"m":$context.error.messageString,"id":"$context.requestId","no":"$context.nothing"}'},
    )
    rendered = render(Refusal(kind="INVALID_API_KEY"), {"INVALID_API_KEY": response}, REQUEST)
    assert rendered.status == 401
    assert json.loads(rendered.body) == {"m": "Forbidden", "id": "id-1", "no": ""}
    assert {"A": "literal", "B": "id-1", "C": "https://a.example"}.items() <= rendered.headers.items()
    assert "D" not in rendered.headers


def test_a_type_without_its_own_response_inherits() -> None:
    responses = {"DEFAULT_5XX": GatewayResponse(templates={"application/json": '"$context.error.responseType"'})}
    rendered = render(Refusal(kind="INTEGRATION_FAILURE", status=502), responses, REQUEST)
    assert (rendered.status, rendered.body) == (502, b'"INTEGRATION_FAILURE"')
    assert render(Refusal(kind="THROTTLED"), responses, REQUEST).body == b'{"message":"Too Many Requests"}'


def test_too_large_a_request_cannot_be_answered_otherwise() -> None:
    responses = {kind: GatewayResponse(status=400) for kind in ("REQUEST_TOO_LARGE", "DEFAULT_4XX")}
    assert render(Refusal(kind="REQUEST_TOO_LARGE"), responses, REQUEST).status == 413


def test_the_client_may_choose_among_content_types() -> None:
    response = GatewayResponse(templates={"application/json": "{}", "text/plain": "no"})
    rendered = render(Refusal(kind="THROTTLED"), {"THROTTLED": response}, REQUEST)
    assert (rendered.headers["Content-Type"], rendered.body) == ("text/plain", b"no")
