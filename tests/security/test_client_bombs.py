"""What a client with a key may send to bring the function down, or to have a 5xx for an answer, which takes a release back."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.hooks import HookRequest, Hooks
from lambda_runtime.json_scan import MAX_CONTAINERS
from lambda_runtime.request import MAX_BODY_BYTES
from tests.lambda_runtime.function_process import ROOT
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, Kit, anthropic_upstream, event, gateway_over, openai_upstream
from tests.lambda_runtime.upstream_server import UpstreamServer

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES
PEAK_MB = 190
"""What reading the worst body may take at its peak; the rest of the default 256 MB is for the answer."""


@contextmanager
def with_hook(kit: Kit, hook: Callable[[HookRequest], None]) -> Iterator[None]:
    relay = kit.gateway._relay
    relay._hooks = Hooks("gateway_hooks", before=hook)
    yield
    relay._hooks = None


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


def plain_body(depth: int) -> str:
    return f'{{"model":"m","messages":{deep(depth)}}}'


def rewritten_body(depth: int) -> str:
    """Has the gateway write an object anew that the client has nested."""
    return f'{{"model":"m","stream":true,"stream_options":{{"a":{deep(depth)}}}}}'


def chat_body(depth: int) -> str:
    """Is translated, the schema of the tool with it."""
    parameters = f'{{"type":"object","properties":{{"a":{{"enum":{deep(depth)}}}}}}}'
    tool = f'{{"type":"function","function":{{"name":"f","parameters":{parameters}}}}}'
    return f'{{"model":"m","messages":[{{"role":"user","content":"x"}}],"tools":[{tool}]}}'


def messages_body(depth: int) -> str:
    tool = f'{{"name":"f","input_schema":{{"type":"object","properties":{{"a":{{"enum":{deep(depth)}}}}}}}}}'
    return f'{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"tools":[{tool}]}}'


@pytest.mark.parametrize("body", [plain_body, rewritten_body, chat_body, messages_body])
@pytest.mark.parametrize("hooked", [False, True])
def test_no_depth_of_nesting_is_a_5xx(upstream: UpstreamServer, body: Callable[[int], str], *, hooked: bool) -> None:
    """Wherever the stack ends: while the body is read, by a hook, while it is translated or written anew."""
    other = anthropic_upstream if body is chat_body else openai_upstream
    operation = MESSAGES if body is messages_body else CHAT
    with (
        gateway_over(other("main", upstream.url)) as kit,
        with_hook(kit, lambda request: _look_at(request) if hooked else None),
    ):

        def status(depth: int) -> int:
            return kit.call(event(operation, body(depth))).status

        low, high = 1, 60_000
        assert (status(low), status(high)) == (200, 400)
        while high - low > 1:
            middle = (low + high) // 2
            found = status(middle)
            assert found in {200, 400}, middle
            low, high = (middle, high) if found == 200 else (low, middle)
        assert {status(depth) for depth in range(max(1, low - 30), low + 30)} == {200, 400}


def _look_at(request: HookRequest) -> None:
    request.log["fields"] = len(request.body)


@pytest.mark.parametrize("digits", [4_000, 5_000, 400_000])
@pytest.mark.parametrize("field", ["max_tokens", "n", "temperature", "messages"])
def test_huge_numbers_are_never_a_5xx(upstream: UpstreamServer, digits: int, field: str) -> None:
    """Beyond 4,300 digits Python converts no number, and neither should anybody."""
    body = f'{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"x"}}],"{field}":{"9" * digits}}}'
    for other in (openai_upstream, anthropic_upstream):
        with gateway_over(other("main", upstream.url)) as kit:
            for operation in (CHAT, MESSAGES):
                status = kit.call(event(operation, body)).status
                assert status == 400 if digits > 4_300 else status in {200, 400}, (other, operation)


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "1e-999999999", "NaN", "Infinity", "-Infinity", "0x10", "01"]
)
def test_odd_numbers_are_never_a_5xx(upstream: UpstreamServer, number: str) -> None:
    for other in (openai_upstream, anthropic_upstream):
        with gateway_over(other("main", upstream.url)) as kit:
            body = f'{{"model":"m","max_tokens":{number},"temperature":{number},"messages":[{{"role":"user","content":"x"}}]}}'
            assert kit.call(event(CHAT, body)).status in {200, 400}
            assert kit.call(event(MESSAGES, body)).status in {200, 400}
    for received in upstream.received:
        assert b"NaN" not in received.body
        assert b"Infinity" not in received.body


def test_whichever_of_two_models_an_upstream_reads_the_map_has_decided(upstream: UpstreamServer) -> None:
    with gateway_over(openai_upstream("main", upstream.url), models={"cheap": ["main/cheap-1"]}) as kit:
        body = '{"model":"expensive","mod\\u0065l":"other","messages":[],"model":"cheap"}'
        assert kit.call(event(CHAT, body)).status == 200
    pairs = json.loads(upstream.last.body, object_pairs_hook=list)
    assert [value for name, value in pairs if name == "model"] == ["cheap-1"] * 3


@pytest.mark.parametrize(
    "key", ["Model", "MODEL", "moDel", "\\u004dodel", "\u017ftream", "Stream_Option\u017f", "Tools", "fallbackS"]
)
def test_no_upstream_takes_a_key_in_another_case_for_what_was_judged(upstream: UpstreamServer, key: str) -> None:
    with gateway_over(openai_upstream("main", upstream.url), models={"cheap": ["main/cheap-1"]}) as kit:
        for body in (f'{{"model":"cheap","{key}":"expensive"}}', f'{{"{key}":"expensive","model":"cheap"}}'):
            response = kit.call(event(CHAT, body))
            assert response.status == 400
            error = response.json()["error"]
            spelled = json.loads(f'"{key}"').casefold()
            assert f"must be written '{spelled}'" in error["message"]
            assert error["param"] == spelled
    assert upstream.received == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("x" * (MAX_BODY_BYTES + 1), 413),
        (json.dumps({"model": "m", "messages": "\u00e9" * (MAX_BODY_BYTES // 2)}, ensure_ascii=False), 413),
        (json.dumps({"model": "m", "messages": "x" * (MAX_BODY_BYTES - 200)}), 200),
        ('{"model":"m","messages":[' + "[]," * (MAX_CONTAINERS + 1) + "0]}", 400),
        ('{"model":"m","messages":[' + '{"a":[]},' * (MAX_CONTAINERS // 2 + 1) + "0]}", 400),
        ('{"' + "k" * 5_000_000 + '":1,"model":"m"}', 200),
        ('{"model":"' + "m" * 5_000_000 + '"}', 200),
        ("{" + '"a":1,' * 200_000 + '"model":"m"}', 200),
        ("\0" * 1_000_000, 400),
        ('{"model":"\\ud800"}', 200),
        ('{"model":"m\\ud800","messages":[]}', 200),
        ("\ufeff{}", 400),
    ],
    ids=[
        "too-long",
        "too-long-in-utf-8",
        "6-MB",
        "lists",
        "objects",
        "key",
        "model",
        "keys",
        "nul",
        "half",
        "half-name",
        "bom",
    ],
)
def test_bodies_that_are_bombs(kit: Kit, body: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit.call(event(CHAT, body)).status == status
    output = capsys.readouterr().out
    assert len(output) < 4096
    json.loads(output)


@pytest.mark.parametrize("data", [b"\xff\xfe{}", b"\xc0\xaf", b"\xed\xa0\x80", b'{"model":"\x80"}', b"\x1f\x8b\x08\x00"])
def test_bytes_that_are_no_utf_8(kit: Kit, upstream: UpstreamServer, data: bytes) -> None:
    encoded = {"body": base64.b64encode(data).decode(), "isBase64Encoded": True}
    assert kit.call(event(CHAT, "x") | encoded).status == 400
    assert upstream.received == []


@pytest.mark.parametrize(
    "text", ["!!!!", "YQ", "YQ=", "YQ==\n", "YQ==YQ==", "=" * 100, "\u00e9\u00e9\u00e9\u00e9", "A" * (9 * 1024 * 1024)]
)
def test_base64_that_is_none(kit: Kit, upstream: UpstreamServer, text: str) -> None:
    assert kit.call(event(CHAT, "x") | {"body": text, "isBase64Encoded": True}).status in {400, 413}
    assert upstream.received == []


def test_ten_thousand_headers_and_headers_of_a_megabyte(kit: Kit, upstream: UpstreamServer) -> None:
    """API Gateway takes 10 KB of them; where something else is in front, only what is on the list goes on all the same."""
    headers: dict[str, Any] = {f"x-bomb-{number}": "v" * 100 for number in range(10_000)}
    headers |= {"X-Large": "v" * 1_000_000, "Cookie": "c" * 1_000_000, "X-Forwarded-For": "1.1.1.1, " * 10_000}
    assert kit.call(event(CHAT, {"model": "m"}, headers=headers)).status == 200
    assert len(upstream.last.head) < 1_000


def test_headers_that_steer_a_connection_or_a_proxy_end_here(kit: Kit, upstream: UpstreamServer) -> None:
    """Neither what frames a message, nor where it goes, nor what would have another header dropped on the way."""
    sent = {
        "Host": ["evil.example", "169.254.169.254"],
        "Content-Length": ["0", "5"],
        "Transfer-Encoding": ["chunked", "identity"],
        "Expect": "100-continue",
        "Connection": "authorization, close",
        "Upgrade": "h2c",
        "TE": "trailers",
        "Trailer": "authorization",
        "Proxy-Authorization": f"Bearer {CLIENT_KEY}",
        "X-HTTP-Method-Override": "DELETE",
        "X-Original-URL": "/admin",
        "X-Rewrite-URL": "/admin",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "host=evil.example",
        "OpenAI-Organization": "org-of-somebody-else",
        "OpenAI-Project": "proj-of-somebody-else",
        "x-amzn-trace-id": "Root=1",
    }
    assert kit.call(event(CHAT, {"model": "m"}, headers=sent)).status == 200
    assert [name for name, _ in upstream.last.headers] == [
        "host",
        "content-length",
        "accept-encoding",
        "content-type",
        "authorization",
    ]
    assert upstream.last.header("host") == upstream.url.removeprefix("http://")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x1b[31m", "\u0142", "a\u2028b", "\x7f"])
@pytest.mark.parametrize(
    "name", ["User-Agent", "Anthropic-Beta", "anthropic-b\r\nx: y", "anthropic-\u0142", "anthropic-a b", "anthropic-:x"]
)
def test_no_header_can_begin_another(kit: Kit, upstream: UpstreamServer, name: str, value: str) -> None:
    assert kit.call(event(CHAT, {"model": "m"}, headers={name: [value, ""]})).status == 200
    assert len(upstream.last.headers) == 5
    assert b"vil" not in upstream.last.head


@pytest.mark.parametrize("unit", ["[[]],", '[""],', "-9,", '{"\u00e9":0},'], ids=["lists", "list", "numbers", "objects"])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read from Linux's /proc")
def test_no_body_fills_the_function(unit: str) -> None:
    """In a process of its own, whose peak is that of this body alone: Lambda would kill the function, not this one request."""
    code = f"""
import json
from lambda_runtime.errors import RequestError
from lambda_runtime.request_body import read_body
unit = {unit!r}
begin = '{{"model":"m","a":["\\U0001f600",'
room = 6 * 1024 * 1024 - 300
text = begin + (unit * (room // len(json.dumps(unit, ensure_ascii=False).encode()[1:-1])))[:-1] + "]}}"
event = json.dumps({{"body": text}}, ensure_ascii=False).encode()
del text
body = json.loads(event)["body"]
try:
    read_body(body)
except RequestError as error:
    assert "arrays and objects" in str(error), error
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < PEAK_MB, done.stdout
