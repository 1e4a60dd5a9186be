"""A gateway's upstreams and their secrets: moto answers for Secrets Manager, Lambda and RotateSecret answer by themselves.

moto's RotateSecret wants the function in Docker, or makes a version without a value the current one. What it does not know
either is done to its own objects: a schedule, and when a version was made.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSRequest, AWSResponse
from moto.secretsmanager.models import secretsmanager_backends
from typer.testing import CliRunner

from gateway_cli.app import app
from lambda_runtime.config import CONFIG_FILE, AuthStyle, GatewayConfig, UpstreamConfig, WireFormat
from lambda_runtime.config.secrets import ROTATION_VARIABLE, RotatedSecret, RotationKind, rotation_json
from lambda_runtime.rotation.pause import Pause
from lambda_runtime.rotation.rotate import rotate
from tests.gateway_cli.gateways import Done
from tests.gateway_cli.tables import REGION
from tests.lambda_runtime.rotation.kit import STEPS, FakePause

ACCOUNT = "123456789012"
ROTATION = "rotation-function"
PLACEHOLDER = '{"placeholder":true,"apiKey":"s0mething-rand0m"}'
DAY = 86_400.0


class _Body:
    """The body of an answer as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


@dataclass
class Bench:
    """The gateway, and its operator's place. Values must never be printed; those in `secret_words` are looked for."""

    directory: Path
    url: str
    now: float = field(default_factory=lambda: time.time() + 30)
    """Ahead of moto's own time, so that nothing that it makes is of the future."""
    configs: dict[str, GatewayConfig] = field(default_factory=dict)
    """By version; the first one is the alias's own."""
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    rotated: list[RotatedSecret] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code and message by operation."""
    tokens: list[str] = field(default_factory=list)
    """Versions that RotateSecret has begun."""
    works: Callable[[], None] | None = None
    """What happens while the command waits. Default: the rotation function takes its steps."""
    hides_empty: bool = True
    """Whether versions without a value are not listed, with the time when they were made."""
    waited: list[float] = field(default_factory=list)
    secret_words: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:
        return boto3.client("secretsmanager", region_name=REGION)

    def fake(self, name: str) -> Any:
        """moto's own object of an upstream's secret."""
        return secretsmanager_backends[ACCOUNT][REGION].secrets[f"secret-of-{name}"]

    def add(self, upstream: UpstreamConfig, value: str | None, *, versions: tuple[str, ...] = ("7",)) -> str:
        """An upstream with its secret, in the configuration of versions: the secret's ARN."""
        for version in versions:
            known = self.configs.get(version)
            upstreams = (*(known.upstreams if known else ()), upstream)
            self.configs[version] = GatewayConfig(upstreams=upstreams)
        given = {} if value is None else {"SecretString": value}
        arn = str(self.client.create_secret(Name=f"secret-of-{upstream.name}", **given)["ARN"])
        for version in versions:
            self.variables.setdefault(version, {})[upstream.secret_variable] = arn
        if value:
            self.secret_words.append(value)
        return arn

    def rotate_by(self, upstream: UpstreamConfig, arn: str, kind: RotationKind = RotationKind.STAGED, **more: Any) -> None:
        """Have the gateway rotate it, next in ten days."""
        endpoint = upstream.endpoints[0]
        self.rotated.append(
            RotatedSecret(
                upstream=upstream.name,
                secret=arn,
                kind=kind,
                field=upstream.secret_field,
                url=endpoint.models_url,
                auth=AuthStyle.BEARER,
                wire_format=WireFormat.OPENAI,
                notice=int(7 * DAY),
                **more,
            )
        )
        fake = self.fake(upstream.name)
        fake.rotation_requested = fake.rotation_enabled = True
        fake.rotation_lambda_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{ROTATION}"
        fake.next_rotation_date = int(self.now + 10 * DAY)

    def value(self, name: str, label: str = "AWSCURRENT") -> str | None:
        """The value with a label."""
        for version in self.fake(name).versions.values():
            if label in version["version_stages"]:
                found: str | None = version.get("secret_string")
                return found
        return None

    def labels(self, name: str) -> list[str]:
        return sorted(label for version in self.fake(name).versions.values() for label in version["version_stages"])

    def put(self, name: str, value: str | None, label: str) -> str:
        """A version that somebody has put there: its id."""
        token = f"{len(self.fake(name).versions):032}"
        version = {"createdate": int(self.now), "version_id": token, "version_stages": [label]}
        self.fake(name).versions[token] = version if value is None else {**version, "secret_string": value}
        if value:
            self.secret_words.append(value)
        return token

    def call(self, *arguments: str, key: str = "", status: int = 0) -> Done:
        """Run `ai-gateway credentials` with a key at its standard input."""
        done = CliRunner().invoke(app, ["credentials", *arguments], input=key)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        printed = done.stdout + done.stderr
        assert done.exit_code == status, printed
        for word in (*self.secret_words, key.strip()):
            assert not word or word not in printed, printed
        return Done(done.exit_code, done.stdout, done.stderr)

    def status(self, name: str) -> dict[str, Any]:
        (found,) = json.loads(self.call("status", name, "--json").stdout)["upstreams"]
        return dict(found)

    def pause(self, seconds: float) -> None:
        """Time passes while the command waits for Secrets Manager."""
        self.waited.append(seconds)
        self.now += seconds
        (self.works or self.take_steps)()

    def take_steps(self) -> None:
        """What Secrets Manager does with a rotation function, and what that does."""
        rotated = next(one for one in self.rotated if self.tokens[-1] in self.fake(one.upstream).versions)
        with redirect_stdout(io.StringIO()):
            for step in STEPS:
                event = {"Step": step, "SecretId": rotated.secret, "ClientRequestToken": self.tokens[-1]}
                try:
                    rotate(event, [rotated], self.client, cast("Pause", FakePause()))
                except Exception:  # noqa: BLE001 - nobody is told
                    return

    def answer(self, event_name: str, request: AWSRequest) -> AWSResponse | None:
        """Answer what moto cannot."""
        operation = event_name.rpartition(".")[2]
        if operation in self.refused:
            code, message = self.refused[operation]
            return _answer(request, {"__type": code, "Message": message, "message": message}, 400, code)
        if event_name.startswith("before-send.lambda."):
            return _answer(request, getattr(self, f"_{operation}")(request))
        if operation == "RotateSecret":
            return self._rotate_secret(request)
        return self._list_versions(request) if operation == "ListSecretVersionIds" else None

    @staticmethod
    def _fake_of(arn: str) -> Any:
        return next(one for one in secretsmanager_backends[ACCOUNT][REGION].secrets.values() if one.arn == arn)

    def _rotate_secret(self, request: AWSRequest) -> AWSResponse:
        body = json.loads(request.body or "{}")
        fake = self._fake_of(body["SecretId"])
        if any("AWSPENDING" in v["version_stages"] and "AWSCURRENT" not in v["version_stages"] for v in fake.versions.values()):
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            return _answer(request, {"__type": "InvalidRequestException", "Message": message}, 400, "InvalidRequestException")
        token = body["ClientRequestToken"]
        fake.versions[token] = {"createdate": int(self.now), "version_id": token, "version_stages": ["AWSPENDING"]}
        self.tokens.append(token)
        return _answer(request, {"ARN": fake.arn, "Name": fake.name, "VersionId": token})

    def _list_versions(self, request: AWSRequest) -> AWSResponse:
        """One a page, and when each was made: of moto's, every version is of this moment."""
        body = json.loads(request.body or "{}")
        versions = list(self._fake_of(body["SecretId"]).versions.values())
        start = int(body.get("NextToken", 0))
        listed = [
            {"VersionId": one["version_id"], "VersionStages": one["version_stages"], "CreatedDate": one["createdate"]}
            for one in versions[start : start + 1]
            if "secret_string" in one or not self.hides_empty
        ]
        more = {"NextToken": str(start + 1)} if start + 1 < len(versions) else {}
        return _answer(request, {"Versions": listed, **more})

    # Below, each is called like the operation that it answers.

    def _GetAlias(self, _: AWSRequest) -> Any:  # noqa: N802
        main, *others = self.configs
        return {"FunctionVersion": main, "RoutingConfig": {"AdditionalVersionWeights": dict.fromkeys(others, 0.05)}}

    def _GetFunction(self, request: AWSRequest) -> Any:  # noqa: N802
        (version,) = parse_qs(urlsplit(str(request.url)).query)["Qualifier"]
        code = self.directory / f"{version}.zip"
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr(CONFIG_FILE, self.configs[version].to_json())
        variables = self.variables.get(version, {})
        return {"Configuration": {"Environment": {"Variables": variables}}, "Code": {"Location": code.as_uri()}}

    def _GetFunctionConfiguration(self, request: AWSRequest) -> Any:  # noqa: N802
        assert f"/functions/{ROTATION}/" in str(request.url)
        return {
            "Environment": {"Variables": {ROTATION_VARIABLE: rotation_json(self.rotated)}},
            "LoggingConfig": {"LogGroup": "rotation logs"},
        }


def _answer(request: AWSRequest, document: Any, status: int = 200, code: str = "") -> AWSResponse:
    headers = {"content-type": "application/json", **({"x-amzn-errortype": code} if code else {})}
    return AWSResponse(str(request.url), status, headers, _Body(json.dumps(document).encode()))  # type: ignore[arg-type]
