"""What an upstream's answer says about a key."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime.config import AuthStyle, WireFormat
from lambda_runtime.rotation import provider_http
from lambda_runtime.rotation.errors import KeyRefusedError, RotationError, UpstreamSilentError
from lambda_runtime.rotation.key_trial import Verdict, require_taken, verdict
from tests.lambda_runtime.rotation.kit import NEW, FakePause, Secret, staged_rotation, takes
from tests.lambda_runtime.tls_kit import tls_server
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_bytes, answer_json, answer_with_silence


def tried(secret: Secret, url: str, *, times: int = 1, pause: FakePause | None = None, **more: Any) -> FakePause:
    pause = pause or FakePause()
    rotated = staged_rotation(secret, url, **more)
    require_taken(rotated, NEW, pause, refused_for=10, silent_for=100, times=times)  # type: ignore[arg-type]
    return pause


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"{}", Verdict.TAKEN),
        (204, b"", Verdict.TAKEN),
        (401, b"{}", Verdict.REFUSED),
        (402, b"{}", Verdict.REFUSED),
        (403, b"{}", Verdict.REFUSED),
        (400, b'[{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}]', Verdict.REFUSED),
        (403, b"You have insufficient permissions for this operation. Missing scopes: api.model.read.", Verdict.UNTOLD),
        (404, b"", Verdict.UNTOLD),
        (405, b"", Verdict.UNTOLD),
        (501, b"", Verdict.UNTOLD),
        (408, b"", Verdict.LATER),
        (429, b"", Verdict.LATER),
        (500, b"", Verdict.LATER),
        (529, b"", Verdict.LATER),
        (301, b"", Verdict.NONSENSE),
        (400, b"{}", Verdict.NONSENSE),
        (418, b"", Verdict.NONSENSE),
    ],
)
def test_each_status_has_its_meaning(status: int, body: bytes, said: Verdict) -> None:
    assert verdict(status, body) is said


@pytest.mark.parametrize(
    ("auth", "wire_format", "headers"),
    [
        (AuthStyle.BEARER, WireFormat.OPENAI, {"authorization": f"Bearer {NEW}"}),
        (AuthStyle.API_KEY, WireFormat.OPENAI, {"api-key": NEW}),
        (AuthStyle.X_API_KEY, WireFormat.ANTHROPIC, {"x-api-key": NEW, "anthropic-version": "2023-06-01"}),
    ],
)
def test_the_key_goes_where_the_upstream_wants_it(
    secret: Secret, upstream: UpstreamServer, auth: AuthStyle, wire_format: WireFormat, headers: dict[str, str]
) -> None:
    tried(secret, upstream.url, auth=auth, wire_format=wire_format)
    names = {"authorization", "api-key", "x-api-key", "anthropic-version"}
    assert {name: value for name, value in upstream.last.headers if name in names} == headers
    assert upstream.last.header("user-agent") == "cdk-ai-gateway-rotation"


def test_an_upstream_without_a_list_of_models_is_believed_and_that_is_logged(
    secret: Secret, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = answer_json({}, 404)
    tried(secret, upstream.url)
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["upstream"]) == ("WARNING", "main")
    assert "cannot be tried, because it answered with status 404" in line["message"]


def test_redirects_are_not_followed(secret: Secret, upstream: UpstreamServer) -> None:
    upstream.answer = answer_bytes(b"", 302, [("location", f"{upstream.url}/elsewhere")])
    with pytest.raises(RotationError, match=r"status 302 when asked for http://127.0.0.1:\d+/v1/models; is the address right"):
        tried(secret, upstream.url)
    assert len(upstream.received) == 1


@pytest.mark.parametrize("cut", [True, False])
def test_a_broken_connection_is_tried_again(secret: Secret, upstream: UpstreamServer, cut: bool) -> None:
    upstream.answers = [lambda _received, connection: connection.cut(reset=cut)]
    upstream.answer = takes(NEW)
    assert tried(secret, upstream.url).slept == [1]


def test_nobody_there(secret: Secret) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UpstreamSilentError, match=r"127.0.0.1 does not answer \(ConnectionRefusedError\)"):
        tried(secret, f"http://127.0.0.1:{port}")


def test_a_silent_upstream_costs_a_time_out(secret: Secret, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_http, "TIMEOUT", 0.05)
    upstream.answers = [answer_with_silence]
    upstream.answer = takes(NEW)
    assert tried(secret, upstream.url).slept == [1]


def test_only_known_authorities_are_asked(
    secret: Secret, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with tls_server(authority[0]) as (port, agreed):
        with pytest.raises(UpstreamSilentError, match="SSLCertVerificationError"):
            tried(secret, f"https://127.0.0.1:{port}")
        assert agreed == []
        monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
        tried(secret, f"https://127.0.0.1:{port}")


def test_the_machines_proxy_is_not_asked(secret: Secret, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    tried(secret, upstream.url)
    assert upstream.last.target == "/v1/models"


def test_a_key_may_have_to_be_taken_several_times_one_after_the_other(secret: Secret, upstream: UpstreamServer) -> None:
    ok, no = answer_json({}), answer_json({}, 401)
    upstream.answers = [no, ok, ok, no, ok, ok, ok]
    pause = tried(secret, upstream.url, times=3)
    assert (upstream.answers, len(pause.slept)) == ([], 6)


def test_patience_with_a_refusal_is_shorter_than_with_silence(secret: Secret, upstream: UpstreamServer) -> None:
    slept: dict[int, float] = {}
    for status, error in ((401, KeyRefusedError), (503, UpstreamSilentError)):
        upstream.answer = answer_json({}, status)
        pause = FakePause()
        with pytest.raises(error):
            tried(secret, upstream.url, pause=pause)
        slept[status] = sum(pause.slept)
    assert slept[401] <= 10 < slept[503] <= 100


def test_a_long_list_is_not_read_to_its_end(secret: Secret, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_http, "_MAX_BYTES", 1000)
    upstream.answer = answer_bytes(b"x" * 100_000)
    tried(secret, upstream.url)
