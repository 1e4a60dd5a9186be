"""AWS STS and a provider's token service on loopback. Both look at what they are sent, as the real ones would."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.auth
import botocore.credentials
from botocore.awsrequest import AWSRequest

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    UpstreamConfig,
)
from lambda_runtime.config.federation import AnthropicFederation, OpenAiFederation
from tests.lambda_runtime.upstream_server import SAID, Connection, Received, UpstreamServer, answer_bytes, answer_json, serve

ROLE = "arn:aws:iam::111122223333:role/gateway-function"
ISSUER = "https://0a1b2c3d.tokens.sts.global.api.aws"
KEYS = {"AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
XML = ("content-type", "text/xml")
ORGANIZATION = "0a1b2c3d-1111-2222-3333-444455556666"


def openai_federation(token_url: str = "https://auth.openai.com/oauth/token") -> OpenAiFederation:  # noqa: S107
    return OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa-1", token_url=token_url)


def anthropic_federation(**more: Any) -> AnthropicFederation:
    return AnthropicFederation(federation_rule_id="fdrl_1", organization_id=ORGANIZATION, service_account_id="svac_1", **more)


def environ(sts: UpstreamServer, **more: str) -> dict[str, str]:
    return {**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_STS": sts.url, **more}


def token_answer(token: str, expires: str = "2026-11-22T03:04:05Z") -> bytes:
    """An answer of STS, as its query protocol has it."""
    return (
        '<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <GetWebIdentityTokenResult>\n'
        f"    <Expiration>{expires}</Expiration>\n    <WebIdentityToken>{token}</WebIdentityToken>\n"
        "  </GetWebIdentityTokenResult>\n  <ResponseMetadata>\n    <RequestId>c6104cbe</RequestId>\n  </ResponseMetadata>\n"
        "</GetWebIdentityTokenResponse>\n"
    ).encode()


def error_document(code: str, message: str) -> bytes:
    return (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <Error>\n    <Type>Sender</Type>\n'
        f"    <Code>{code}</Code>\n    <Message>{escape(message, {chr(34): '&quot;'})}</Message>\n  </Error>\n"
        "  <RequestId>c6104cbe</RequestId>\n</ErrorResponse>\n"
    ).encode()


def sts_error(code: str, message: str = "", status: int = 400) -> Any:
    return answer_bytes(error_document(code, message), status, [XML])


def signed_by_botocore(received: Received, url: str) -> str:
    """The signature that botocore would have put under a request."""
    moment = dt.datetime.strptime(received.header("x-amz-date") or "", "%Y%m%dT%H%M%SZ")  # noqa: DTZ007  as botocore has it
    headers = {"content-type": received.header("content-type") or ""}
    request = AWSRequest(method=received.method, url=url + received.target, headers=headers, data=received.body)
    credentials = botocore.credentials.Credentials("ASIAEXAMPLE", "secret", "session")
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment):
        botocore.auth.SigV4Auth(credentials, "sts", "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims_of(jwt: str) -> dict[str, Any]:
    payload = jwt.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@dataclass
class Sts:
    """STS: signs what it is asked for, if the request is botocore's own."""

    server: UpstreamServer
    issued: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.answer = self.answer

    def answer(self, received: Received, connection: Connection) -> None:
        assert received.header("authorization") == signed_by_botocore(received, self.server.url)
        asked = dict(parse_qsl(received.body.decode(), strict_parsing=True))
        assert (asked.pop("Action"), asked.pop("Version")) == ("GetWebIdentityToken", "2011-06-15")
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": ROLE, "aud": asked.pop("Audience.member.1"), "iat": now}
        claims |= {"exp": now + int(asked.pop("DurationSeconds")), "jti": str(len(self.issued))}
        jwt = f"{encoded({'alg': asked.pop('SigningAlgorithm'), 'kid': 'k'})}.{encoded(claims)}.signature"
        assert not asked
        self.issued.append(jwt)
        answer_bytes(token_answer(jwt), headers=[XML])(received, connection)


@dataclass
class Provider:
    """A provider: its token service, which takes each identity token once, and its API, which takes the tokens of that."""

    server: UpstreamServer
    sts: Sts
    lifetime: float = 3600.0
    answers: list[Any] = field(default_factory=list)
    """What its API answers to valid tokens, while there is any; then that all is well."""
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    refusal: Any = None
    token_headers: list[dict[str, str]] = field(default_factory=list)
    valid: dict[str, float] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.server.answer = self.answer

    @property
    def asked(self) -> list[Received]:
        """What its API was asked."""
        return [received for received in self.server.received if not received.target.endswith("/oauth/token")]

    def answer(self, received: Received, connection: Connection) -> None:
        if received.target.endswith("/oauth/token"):
            self._token(received)(received, connection)
            return
        token = (received.header("authorization") or "").removeprefix("Bearer ")
        if self.valid.get(token, 0.0) <= time.time():
            refusal = {"type": "error", "error": {"type": "authentication_error", "message": f"invalid token {token}"}}
            answer_json(refusal, 401)(received, connection)
        else:
            (self.answers.pop(0) if self.answers else answer_json(SAID))(received, connection)

    def revoke(self) -> None:
        self.valid.clear()

    def _token(self, received: Received) -> Any:
        assert (received.method, received.header("content-type")) == ("POST", "application/json")
        document = json.loads(received.body)
        self.exchanges.append(document)
        self.token_headers.append(dict(received.headers))
        identity = document.get("subject_token") or document["assertion"]
        if self.refusal is not None:
            return self.refusal
        if identity not in self.sts.issued or identity in self.used:
            return answer_json({"error": "invalid_grant", "error_description": f"replayed {identity}"}, 400)
        self.used.add(identity)
        token = f"short-lived-token-{next(self._numbers)}"
        self.valid[token] = time.time() + self.lifetime
        return answer_json({"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime})


@contextmanager
def federation() -> Iterator[tuple[Sts, Provider]]:
    """STS and a provider that trusts it."""
    with ExitStack() as stack:
        sts = Sts(stack.enter_context(serve()))
        yield sts, Provider(stack.enter_context(serve()), sts)


def federated_openai(provider: Provider, name: str = "openai") -> UpstreamConfig:
    endpoint = Endpoint(base_url=f"{provider.server.url}/v1", auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS)
    return UpstreamConfig(name=name, endpoints=(endpoint,), federation=openai_federation(f"{provider.server.url}/oauth/token"))


def federated_anthropic(provider: Provider, name: str = "anthropic", **more: Any) -> UpstreamConfig:
    endpoint = Endpoint(base_url=provider.server.url, auth=AuthStyle.ANTHROPIC_OAUTH, operations=ANTHROPIC_OPERATIONS)
    return UpstreamConfig(name=name, endpoints=(endpoint,), federation=anthropic_federation(**more))
