"""moto's Secrets Manager with rotations begun as Secrets Manager begins them, providers on loopback, and a clock that leaps."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import boto3
from moto import mock_aws
from moto.secretsmanager.models import secretsmanager_backends

from lambda_runtime.config import AuthStyle, WireFormat
from lambda_runtime.config.secrets import STAGED_LABEL, RotatedSecret, RotationKind
from lambda_runtime.rotation.rotate import rotate
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve

REGION = "eu-west-1"
OLD, NEW = "sk-old-11111111", "sk-new-22222222"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:rotation"


class FakePause:
    """A function's time in which waiting takes none."""

    def __init__(self, seconds: float = 900.0) -> None:
        self.clock = 0.0
        self.slept: list[float] = []
        self._seconds = seconds
        self.on_sleep: Callable[[float], None] = lambda _clock: None

    def remaining(self) -> float:
        return self._seconds - self.clock

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds
        assert self.remaining() > 0, "Lambda would have ended the function"
        self.on_sleep(self.clock)


@dataclass
class Secret:
    """A secret in moto, with what a rotation needs."""

    name: str
    client: Any
    arn: str = ""
    pause: Any = field(default_factory=FakePause)

    @property
    def fake(self) -> Any:
        """moto's own object: what Secrets Manager does by itself is done to it."""
        return secretsmanager_backends["123456789012"][REGION].secrets[self.name]

    def enable(self, *, on: bool = True, due: datetime | None = None) -> None:
        self.fake.rotation_requested = True
        self.fake.rotation_enabled = on
        self.fake.rotation_lambda_arn = FUNCTION
        self.fake.next_rotation_date = None if due is None else due.timestamp()

    def begin(self, token: str | None = None) -> str:
        """What Secrets Manager does before it calls the first step: a version without a value."""
        token = token or str(uuid.uuid4())
        if token not in self.fake.versions:
            self.fake.remove_version_stages_from_old_versions(["AWSPENDING"])
            self.fake.versions[token] = {"createdate": 0, "version_id": token, "version_stages": ["AWSPENDING"]}
        return token

    def stage(self, value: str) -> None:
        """What `ai-gateway credentials stage` does."""
        self.client.put_secret_value(SecretId=self.arn, SecretString=value, VersionStages=[STAGED_LABEL])

    def put_by_hand(self, value: str) -> str:
        """What `aws secretsmanager put-secret-value` does. moto does not see by itself that the label has been moved."""
        current = next(name for name, version in self.fake.versions.items() if "AWSCURRENT" in version["version_stages"])
        self.fake.set_default_version_id(current)
        version: str = self.client.put_secret_value(SecretId=self.arn, SecretString=value)["VersionId"]
        return version

    def value(self, label: str = "AWSCURRENT") -> str | None:
        """The value with a label."""
        for version in self.fake.versions.values():
            if label in version["version_stages"]:
                value: str | None = version.get("secret_string")
                return value
        return None

    def labels(self) -> set[str]:
        return {label for version in self.fake.versions.values() for label in version["version_stages"]}

    def take(self, step: str, rotated: RotatedSecret, token: str, client: Any = None) -> None:
        event = {"Step": step, "SecretId": self.arn, "ClientRequestToken": token, "RotationToken": "anything"}
        rotate(event, [rotated], client or self.client, self.pause)

    def rotate(self, rotated: RotatedSecret, token: str | None = None, client: Any = None) -> str:
        """A whole rotation."""
        token = self.begin(token)
        for step in STEPS:
            self.take(step, rotated, token, client)
        return token


def boto() -> Any:
    return boto3.client("secretsmanager", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")


@contextmanager
def running_secret(name: str = "main", value: str = OLD) -> Iterator[Secret]:
    with mock_aws():
        yield make_secret(name, value)


def make_secret(name: str, value: str) -> Secret:
    """A secret whose rotation is switched on. Within `mock_aws`."""
    secret = Secret(name, boto())
    secret.arn = secret.client.create_secret(Name=name, SecretString=value)["ARN"]
    secret.enable()
    return secret


def staged_rotation(secret: Secret, url: str, **more: Any) -> RotatedSecret:
    return RotatedSecret(
        **{
            "upstream": "main",
            "secret": secret.arn,
            "kind": RotationKind.STAGED,
            "field": "apiKey",
            "url": url + "/v1/models",
            "auth": AuthStyle.BEARER,
            "wire_format": WireFormat.OPENAI,
            "notice": 7 * 86_400,
            **more,
        }
    )


def key_of(received: Received) -> str:
    return (received.header("authorization") or "").removeprefix("Bearer ") or received.header("x-api-key") or ""


def takes(*keys: str) -> Callable[[Received, Connection], None]:
    """A models endpoint that knows these keys."""

    def answer(received: Received, connection: Connection) -> None:
        known = key_of(received) in keys
        refusal = {"error": {"message": f"Incorrect API key provided: {key_of(received)}"}}
        answer_json({"data": []} if known else refusal, 200 if known else 401)(received, connection)

    return answer


ADMIN_KEY = "sk-admin-99999999"
ADMIN_SECRET = "admin"
PROJECT = "proj_abc123"


@dataclass
class OpenAi:
    """OpenAI on loopback: a project's service accounts, pages of two, and the models that their keys may list."""

    server: UpstreamServer
    accounts: dict[str, str] = field(default_factory=dict)
    """Names by id."""
    keys: dict[str, str] = field(default_factory=dict)
    """Account by key."""
    not_yet: int = 0
    """How often a key is still refused."""
    minted: int = 0

    @property
    def url(self) -> str:
        return self.server.url

    def add(self, name: str) -> str:
        self.minted += 1
        account = f"svc_{self.minted}"
        self.accounts[account] = name
        self.keys[f"sk-svcacct-{self.minted:08}"] = account
        return account

    def works(self, value: str | None) -> bool:
        """Whether the key in a secret's value is one of a service account that is still there."""
        return self.keys.get(json.loads(value or "{}").get("apiKey")) in self.accounts

    def answer(self, received: Received, connection: Connection) -> None:
        status, document = self._answer(received)
        answer_json(document, status)(received, connection)

    def _answer(self, received: Received) -> tuple[int, dict[str, Any]]:
        path, _, query = received.target.partition("?")
        if path == "/v1/models":
            return self._models(key_of(received))
        if key_of(received) != ADMIN_KEY:
            return 401, {"error": {"message": f"Incorrect API key provided: {key_of(received)}"}}
        base = f"/v1/organization/projects/{PROJECT}/service_accounts"
        if path == base and received.method == "GET":
            return 200, self._page(dict(parse_qsl(query)))
        if path == base and received.method == "POST":
            account = self.add(json.loads(received.body)["name"])
            key = next(key for key, owner in self.keys.items() if owner == account)
            return 200, {"id": account, "name": self.accounts[account], "role": "member", "api_key": {"id": "k", "value": key}}
        if received.method == "DELETE" and self.accounts.pop(path.removeprefix(f"{base}/"), None) is not None:
            return 200, {"deleted": True}
        return 404, {"error": {"message": "no such project or account"}}

    def _models(self, key: str) -> tuple[int, dict[str, Any]]:
        if self.not_yet:
            self.not_yet -= 1
            return 401, {}
        return (200, {"data": []}) if self.keys.get(key) in self.accounts else (401, {})

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        ids = list(self.accounts)
        start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
        page = ids[start : start + 2]
        return {
            "object": "list",
            "data": [{"id": account, "name": self.accounts[account], "role": "member"} for account in page],
            "has_more": start + 2 < len(ids),
        }


@contextmanager
def running_openai() -> Iterator[OpenAi]:
    with serve() as server:
        openai = OpenAi(server)
        server.answer = openai.answer
        yield openai


def openai_rotation(secret: Secret, url: str) -> RotatedSecret:
    return staged_rotation(
        secret,
        url,
        kind=RotationKind.OPENAI_ADMIN,
        notice=0,
        project=PROJECT,
        admin_secret=ADMIN_SECRET,
        admin_url=url + "/v1",
    )
