from typing import Any

import pytest

from lambda_runtime.authorizer.index import handler

METHOD = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/POST/v1/chat/completions"


def event(**headers: str) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": METHOD,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": "key"},
        {"X_Api_Key": " key "},
        {"Authorization": "Bearer key"},
        {"authorization": "bearer  key"},
        {"AUTHORIZATION": "BEARER key "},
        {"x_api_key": "key", "authorization": "Bearer other"},
        {"x_api_key": "", "authorization": "Bearer key"},
    ],
)
def test_the_key_is_found_where_either_sdk_sends_it(headers: dict[str, str]) -> None:
    assert handler(event(**headers))["usageIdentifierKey"] == "key"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_api_key": "  "},
        {"authorization": "Bearer"},
        {"authorization": "Basic a2V5"},
        {"authorization": "Bearer two keys"},
    ],
)
def test_without_a_key_the_client_is_unauthorized(headers: dict[str, str]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(event(**headers))


@pytest.mark.parametrize("headers", [None, {"x-api-key": None}])
def test_missing_headers_are_no_key(headers: Any) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler({"methodArn": METHOD, "headers": headers})


def test_the_policy_allows_the_one_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHORIZER_CACHED", raising=False)
    assert handler(event(x_api_key="key"))["policyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": METHOD}],
    }


def test_a_cached_policy_allows_every_route_of_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHORIZER_CACHED", "1")
    (statement,) = handler(event(x_api_key="key"))["policyDocument"]["Statement"]
    assert statement["Resource"] == "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/*"
