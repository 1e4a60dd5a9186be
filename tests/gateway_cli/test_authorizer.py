from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway_cli.local.authorizer import Authorizer, RefusedError
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.rest_api_model import AuthorizerModel

ARN = "arn:aws:execute-api:us-east-1:000000000000:api/prod/GET/v1/models/[x]"


def model(directory: Path, *sources: str, ttl: float = 0) -> AuthorizerModel:
    return AuthorizerModel(handler="index.handler", directory=directory, identity_sources=sources, ttl=ttl)


def event(**headers: str) -> Mapping[str, Any]:
    return {"headers": {name.replace("_", "-"): value for name, value in headers.items()}, "queryStringParameters": None}


def refusal(authorizer: Authorizer, **headers: str) -> str:
    with pytest.raises(RefusedError) as caught:
        authorizer.decide(event(**headers), ARN)
    return caught.value.refusal.kind


def test_a_verdict(authorizer: Path) -> None:
    verdict = Authorizer(model(authorizer)).decide(event(x_api_key="k"), ARN)
    assert verdict.usage_key == "k"
    assert verdict.context == {"team": "search", "admin": "true", "level": "3", "principalId": "somebody"}


def test_refusals(authorizer: Path) -> None:
    subject = Authorizer(model(authorizer))
    assert refusal(subject) == "UNAUTHORIZED"
    assert refusal(subject, x_api_key="denied") == "ACCESS_DENIED"
    assert refusal(subject, x_api_key="broken") == "AUTHORIZER_FAILURE"


def test_an_answer_without_a_policy(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("def handler(event, context): return {'principalId': 'x'}")
    assert refusal(Authorizer(model(tmp_path))) == "AUTHORIZER_CONFIGURATION_ERROR"


def test_a_missing_identity_source_is_refused_without_asking(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("def handler(event, context): raise AssertionError")
    assert refusal(Authorizer(model(tmp_path, "method.request.header.Authorization"))) == "UNAUTHORIZED"


def test_the_cache_keeps_a_verdict_for_its_time(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text(
        "count = 0\n"
        "def handler(event, context):\n"
        "    global count\n"
        "    count += 1\n"
        "    statement = {'Effect': 'Allow', 'Resource': '*'}\n"
        "    return {'principalId': 'x', 'usageIdentifierKey': str(count), 'policyDocument': {'Statement': [statement]}}\n"
    )
    now = [0.0]
    cached = Authorizer(model(tmp_path, "method.request.header.authorization", ttl=60), clock=lambda: now[0])

    def asked(value: str) -> str | None:
        return cached.decide(event(Authorization=value), ARN).usage_key

    assert [asked("a"), asked("a"), asked("b")] == ["1", "1", "2"]
    now[0] = 61
    assert asked("a") == "3"


def test_code_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(LocalGatewayError, match=r"the authorizer index\.handler in .* cannot be loaded"):
        Authorizer(model(tmp_path))
