"""The function as Lambda runs it, through requests of every outcome, with marked secrets: it writes none of them anywhere."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import idna
import pytest

from lambda_runtime.config import CONFIG_FILE, GatewayConfig, ModelRoute, Operation, Timeouts
from tests.lambda_runtime.federation.federation_kit import federated_openai, token_answer
from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.gateway_kit import anthropic_upstream, event, gateway_over, openai_upstream
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import (
    JSON,
    SAID,
    Answer,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_stream,
    serve,
)
from tests.security.secret_scan import Leak, SecretScan

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES
SECRETS = {
    "the upstream's key": "sk-marked-UPSTREAM-Q7w8E9r0T1y2U3i4",
    "the client's key": "aigwkMARKEDCLIENTz9Y8x7W6v5U4t3S2r1Q0",
    "the provider's token": "oat-marked-FEDERATED-H5j6K7l8Z9x0C1v2",
    "the identity token": "eyJtYXJrZWQ.aWRlbnRpdHktdG9rZW4.U2lnbmF0dXJlMTIz",
    "AWS's secret key": "marked/AWS+SECRET/m1N2b3V4c5X6z7L8k9J0",
    "AWS's session token": "IQoJmarkedSESSION//f1G2h3J4k5L6p7O8i9U0==",
}
UPSTREAM, CLIENT, TOKEN, IDENTITY, AWS, SESSION = SECRETS.values()
PRIVATE = "prompt-marked-PRIVATE-a1B2c3"
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": PRIVATE}]}


@dataclass
class Written:
    """What a run has written, by place."""

    log: str = ""
    answers: list[bytes] = field(default_factory=list)

    def leaks(self) -> list[Leak]:
        scan = SecretScan(SECRETS)
        found = scan.leaks("the log", self.log)
        return found + [leak for number, answer in enumerate(self.answers) for leak in scan.leaks(f"answer {number}", answer)]


class Function:
    """The running function between servers of ours."""

    def __init__(self, api: RuntimeApiServer, upstream: UpstreamServer, written: Written) -> None:
        self.api = api
        self.upstream = upstream
        self._written = written

    def ask(self, asked: Any) -> bytes:
        self.api.push(asked)
        answer = self.api.answer()
        said = json.dumps(answer.headers).encode() + answer.payload + json.dumps(answer.trailers).encode()
        # What is in trailers is base64 of JSON, and read by nobody but Lambda; it counts all the same.
        said += json.dumps(answer.error_body).encode() if answer.trailers else b""
        self._written.answers.append(said)
        return said


@contextmanager
def running(directory: Path, written: Written, secrets: Answer, **more: str) -> Iterator[Function]:
    """Run the function; what it has printed is in `written` when the block has ended."""
    root = make_task_root(directory / "task", "")
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    with RuntimeApiServer() as api, serve() as upstream, serve() as aws, serve() as provider:
        upstreams = (
            openai_upstream("main", upstream.url),
            anthropic_upstream("other", upstream.url),
            federated_openai(_Provider(provider)),  # type: ignore[arg-type]
        )
        models = {
            "m": ModelRoute(["main/a", "other/b"]),
            "one": ModelRoute(["main/a"]),
            "fed": ModelRoute([f"{upstreams[2].name}/c"]),
        }
        config = GatewayConfig(upstreams=upstreams, models=models, timeouts=Timeouts(heartbeat=0.05))
        (root / CONFIG_FILE).write_text(config.to_json())
        aws.answer = secrets
        provider.answer = _federated
        environ = {
            "_HANDLER": "lambda_runtime.handler.handler",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "ASIAMARKED",
            "AWS_SECRET_ACCESS_KEY": AWS,
            "AWS_SESSION_TOKEN": SESSION,
            "AWS_ENDPOINT_URL": aws.url,
            "AI_GATEWAY_TABLE": "table",
            "UPSTREAM_SECRET_MAIN": "arn:aws:secretsmanager:eu-west-1:1:secret:main-AbCdEf",
            "UPSTREAM_SECRET_OTHER": "arn:aws:secretsmanager:eu-west-1:1:secret:other-AbCdEf",
        } | more
        with function(root, api.address, **environ) as process:
            collected = threading.Thread(target=_collect, args=(process, written))
            collected.start()
            yield Function(api, upstream, written)
            process.kill()
            collected.join(20)  # before its output is closed


def _collect(process: subprocess.Popen[str], written: Written) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        written.log += line


@dataclass
class _Provider:
    server: UpstreamServer


def _aws(received: Received, connection: Connection) -> None:
    """Secrets Manager, STS and DynamoDB, which is broken and quotes what it was sent."""
    target = received.header("x-amz-target") or ""
    if target.startswith("secretsmanager"):
        answer_json({"SecretString": json.dumps({"apiKey": UPSTREAM})})(received, connection)
    elif target:
        message = f"cannot read {received.body[:50]!r}"
        answer_json({"__type": "ValidationException", "message": message}, 400)(received, connection)
    else:
        answer_bytes(token_answer(IDENTITY), headers=[("content-type", "text/xml")])(received, connection)


def _federated(received: Received, connection: Connection) -> None:
    """A provider that gives a token, and refuses it with its own words."""
    if received.target.endswith("/oauth/token"):
        answer_json({"access_token": TOKEN, "expires_in": 600})(received, connection)
    else:
        answer_json(_quoting(received), 400)(received, connection)


def _quoting(received: Received) -> dict[str, Any]:
    """An error that repeats everything that was sent."""
    sent = received.head.decode("latin-1")
    return {"error": {"message": f"I was sent {sent!r} and {received.body!r}", "type": "invalid_request_error", "code": sent}}


def quoting(status: int) -> Answer:
    def answer(received: Received, connection: Connection) -> None:
        key = received.header("authorization") or received.header("x-api-key") or ""
        echoes = [JSON, ("openai-echo", key), ("x-request-id", key), ("anthropic-echo", key), ("x-ratelimit-key", key)]
        answer_bytes(json.dumps(_quoting(received)).encode(), status, echoes)(received, connection)

    return answer


def quoting_event(received: Received, connection: Connection) -> None:
    connection.start()
    connection.chunk(b"data: " + json.dumps(_quoting(received)).encode() + b"\n\n")
    connection.end()


def quoting_protocol(received: Received, connection: Connection) -> None:
    """Not even HTTP: a server that writes what it has read."""
    connection.send(received.head.split(b"\r\n")[-1] + b"\r\n\r\n")
    connection.cut()


def quoting_length(received: Received, connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: " + (received.header("authorization") or "x").encode() + b"\r\n\r\n")
    connection.cut()


def late(received: Received, connection: Connection) -> None:
    """An error after heartbeats."""
    connection.wait_until_peer_closes(0.15)
    quoting(400)(received, connection)


def asked(operation: Operation | str, body: Mapping[str, Any] | str | None = None, **more: Any) -> dict[str, Any]:
    """An event as API Gateway makes it, with the client's key in each place where it is."""
    headers = {"X-Api-Key": CLIENT, "Authorization": f"Bearer {CLIENT}", "Cookie": CLIENT, "X-Other": CLIENT}
    made = event(operation, dict(body) if isinstance(body, Mapping) else body, headers=headers) | more
    made["requestContext"]["identity"]["apiKey"] = CLIENT
    return made


def test_requests_of_every_outcome(tmp_path: Path) -> None:
    written = Written()
    answers: list[Answer] = [quoting(status) for status in (400, 401, 403, 404, 408, 422, 429, 500, 503, 529)]
    answers += [answer_json(SAID), answer_stream(CHAT_STREAM), answer_stream(CHAT_STREAM[:2], cut=True), quoting_event, late]
    answers += [quoting_protocol, quoting_length, answer_bytes(b"", 302, [("location", f"https://evil.example/{UPSTREAM}")])]
    with running(tmp_path, written, _aws) as function_:
        for answer in answers:
            for model, streamed in (("m", False), ("one", True)):
                function_.upstream.answer = answer
                function_.ask(asked(CHAT, BODY | {"model": model, "stream": streamed}))
        function_.upstream.answer = quoting(400)
        assert b"[redacted]" in function_.ask(asked(MESSAGES, BODY))
        assert b"[redacted]" in function_.ask(asked(CHAT, BODY | {"model": "fed"}))
        for odd in (asked(CHAT, "{"), asked("/v1/models"), asked("/v2"), asked(CHAT, BODY, httpMethod="GET")):
            function_.ask(odd)
        # Beyond the handler: what API Gateway would never send.
        for raw in (b"[]", b"{", b'"' + CLIENT.encode() + b'"', json.dumps(asked(CHAT, BODY) | {"body": 5}).encode()):
            function_.ask(raw)
    assert written.log.count('"message":"request"') > 40
    assert "the handler raised" in written.log
    assert written.leaks() == []
    assert SecretScan({"the prompt": PRIVATE}).leaks("the log", written.log) == []


@pytest.mark.parametrize(
    "secret",
    [
        f'"{UPSTREAM}"',
        f'{{"apiKey":"{UPSTREAM}"',
        f'{{"wrong":"{UPSTREAM}"}}',
        f'{{"{UPSTREAM}":"apiKey"}}',
        f'{{"apiKey":["{UPSTREAM}"]}}',
        f"{UPSTREAM} {UPSTREAM}",
        f"{UPSTREAM}\u00e9",
    ],
)
def test_a_secret_that_cannot_be_used_is_not_quoted(capsys: pytest.CaptureFixture[str], secret: str) -> None:
    with gateway_over(openai_upstream("main", "http://127.0.0.1:9"), keys={"main": secret}) as kit:
        response = kit.call(asked(CHAT, BODY))
    written = Written(capsys.readouterr().out, [response.body, repr(response.headers).encode()])
    assert response.status == 502
    assert "the secret arn:main" in written.log
    assert written.leaks() == []


@pytest.mark.parametrize(
    "variables",
    [
        {"_HANDLER": "lambda_runtime.nothing.handler"},
        {"AI_GATEWAY_RESPONSE_MODE": "neither"},
    ],
)
def test_a_function_that_cannot_start_does_not_print_its_environment(tmp_path: Path, variables: dict[str, str]) -> None:
    written = Written()
    with running(tmp_path, written, _aws, **variables) as function_:
        written.answers.append(function_.api.answer().payload)
    assert "the function cannot start" in written.log
    assert written.leaks() == []


def test_the_scan_would_have_found_them(tmp_path: Path) -> None:
    """The same run with a program in the function's place that prints what it has."""
    root = make_task_root(
        tmp_path / "task", "import os\nprint(dict(os.environ))\ndef handler(event, *_): print(event['headers'])\n"
    )
    written = Written()
    with RuntimeApiServer() as api:
        api.push(asked(CHAT, BODY))
        with function(root, api.address, AWS_SECRET_ACCESS_KEY=AWS, AWS_SESSION_TOKEN=SESSION) as process:
            collected = threading.Thread(target=_collect, args=(process, written))
            collected.start()
            api.answer()
            process.kill()
            collected.join(20)
    assert {leak.secret for leak in written.leaks()} >= {"AWS's secret key", "AWS's session token", "the client's key"}
