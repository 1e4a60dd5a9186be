"""The local gateway and whoever else is on the machine: web pages in its user's browser, and other users."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_cli.local.page_guard import guarded, of_a_page
from gateway_cli.local.ready import ServedGateway, write_ready_file
from gateway_cli.local.runtime_api import Invocation, RuntimeApi
from tests.gateway_cli.front_kit import KEY, Running, api, serving
from tests.lambda_runtime.function_process import ROOT

AUTHORIZER = ROOT / "lambda_runtime" / "authorizer"
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}


@pytest.mark.parametrize(
    ("headers", "page"),
    [
        ([(b"host", b"127.0.0.1:4566")], False),
        ([(b"host", b"localhost:4566")], False),
        ([(b"host", b"[::1]:4566")], False),
        ([(b"host", b"bucket.localhost:4566")], False),
        ([(b"host", b"127.0.0.1:4566"), (b"origin", b"https://evil.example")], True),
        ([(b"host", b"127.0.0.1:4566"), (b"origin", b"null")], True),
        ([(b"host", b"127.0.0.1:4566"), (b"sec-fetch-site", b"none")], True),
        ([(b"host", b"evil.example:4566")], True),
        ([(b"host", b"evil.example")], True),
        ([(b"host", b"127.0.0.1.evil.example:4566")], True),
        ([(b"host", b"localhost.evil.example:4566")], True),
        ([(b"host", b"evillocalhost:4566")], True),
        ([(b"host", b"")], True),
        ([], True),
    ],
)
def test_which_requests_may_be_a_web_pages(headers: list[tuple[bytes, bytes]], *, page: bool) -> None:
    """The name under which a page was made to lead here (DNS rebinding) is in `Host`; other pages say their origin."""
    assert of_a_page(headers) is page


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_embedded_aws_does_not_even_see_a_web_page(kind: str) -> None:
    seen: list[Any] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    async def receive() -> None:
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    guard: Callable[[Any, Any, Any], Awaitable[None]] = guarded(application)
    asyncio.run(_run(guard({"type": kind, "headers": [(b"host", b"evil.example")]}, receive, send)))
    assert (seen, sent[0].get("status")) == ([], 403 if kind == "http" else None)
    asyncio.run(_run(guard({"type": kind, "headers": [(b"host", b"127.0.0.1:1")]}, receive, send)))
    asyncio.run(_run(guard({"type": "lifespan"}, receive, send)))
    assert [scope["type"] for scope in seen] == [kind, "lifespan"]


async def _run(awaited: Awaitable[None]) -> None:
    await awaited


@pytest.mark.local
@pytest.mark.xdist_group("gateway")
def test_a_web_page_reads_no_key_of_an_upstream_out_of_the_embedded_aws(local_gateway: Any) -> None:
    endpoint = local_gateway.facts["aws_endpoint_url"].removeprefix("http://")
    ask = {"X-Amz-Target": "secretsmanager.ListSecrets", "Content-Type": "application/x-amz-json-1.1"}
    for more in (PAGE, {"Origin": "null"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "same-origin"}):
        status, headers, body = _post(endpoint, {**ask, **more})
        assert (status, b"SecretList" in body) == (403, False), more
        assert "access-control-allow-origin" not in headers
    assert b"SecretList" in _post(endpoint, ask)[2]


def _post(address: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("POST", "/", b"{}", headers)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "headers", [{}, PAGE, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}]
)
def test_without_a_key_a_web_page_gets_a_refusal_and_nothing_else(headers: dict[str, str]) -> None:
    with serving(api(AUTHORIZER)) as front:
        for method, path in (("POST", "/prod/v1/chat/completions"), ("GET", "/prod/v1/models")):
            for sent in (headers, {**headers, "x-api-key": "guessed"}):
                reply = front.ask(method, path, key=None, headers=sent)
                assert reply.status in {401, 403}
                assert KEY.encode() not in reply.read()


MALFORMED = [
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    b"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET /prod/v1/models HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n",
    b"GET /prod/v1/models HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n",
    b"GET /prod/v1/models HTTP/1.1\r\nHost: a\r\nX-A: " + b"b" * 40_000 + b"\r\n\r\n",
    b"GET /prod/v1/models HTTP/1.1\r\nHost: a\r\n" + b"X-A: b\r\n" * 40_000 + b"\r\n",
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://evil.example/prod/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET //evil.example/prod/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /prod/../prod/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /prod/%2e%2e/v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x1b[2J\x07 /\x1b]0;owned\x07 HTTP/1.1\r\n\r\n",
]


def test_malformed_requests_are_refused_and_the_next_one_is_served() -> None:
    with serving(api(AUTHORIZER), verbose=True) as front:
        for data in MALFORMED:
            status = _raw(front, data)
            assert 400 <= status < 500, (data[:80], status)
        assert front.ask("GET", "/prod/v1/models").status == 200
        assert "\x1b" not in front.printed


def _raw(front: Running, data: bytes) -> int:
    """The status that bytes are answered with, which the server may do before it has them all."""
    with socket.create_connection(("127.0.0.1", front.port), timeout=20) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while b"\r\n" not in answer and (piece := sock.recv(4096)):
                answer += piece
        except ConnectionError:
            return 400
    return int(answer.split(b" ")[1]) if answer else 400


def test_the_runtime_api_takes_its_own_worker_only() -> None:
    """Its events hold prompts and consumers' keys. A page that was made to lead here asks for another host."""

    async def ask(address: str, host: str) -> bytes:
        reader, writer = await asyncio.open_connection(*address.split(":"))
        writer.write(f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = await reader.read(4096)
        writer.close()
        return answer

    async def main() -> tuple[bytes, bytes]:
        runtime = RuntimeApi(on_idle=lambda: None, on_report=lambda _: None)
        address = await runtime.start()
        runtime.hand_out(Invocation(b'{"prompt":1}', "arn", 0, ""))
        try:
            return await ask(address, "evil.example:80"), await ask(address, address)
        finally:
            await runtime.stop()

    page, worker = asyncio.run(main())
    assert page == b""
    assert b'{"prompt":1}' in worker


def test_the_ready_file_is_for_its_user_alone(tmp_path: Path) -> None:
    gateway = ServedGateway(
        label="a", origin="http://127.0.0.1:1", stage="prod", keys={"search": "the key"}, key_made=False, models=("m", "m")
    )
    before = os.umask(0)
    try:
        write_ready_file(tmp_path / "ready.json", [gateway], "http://127.0.0.1:2", "eu-west-1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "ready.json").stat().st_mode) == 0o600
    assert json.loads((tmp_path / "ready.json").read_text())["keys"] == {"search": "the key"}


@pytest.mark.local
@pytest.mark.xdist_group("gateway")
@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="where a process keeps its files is read from Linux's /proc"
)
def test_the_directory_of_all_else_is_for_its_user_alone(local_gateway: Any) -> None:
    environ = Path(f"/proc/{local_gateway.pid}/environ").read_bytes().split(b"\0")
    (scratch,) = (Path(os.fsdecode(entry[7:])) for entry in environ if entry.startswith(b"TMPDIR="))
    directories = list(scratch.glob("ai-gateway-*"))
    assert directories
    assert {stat.S_IMODE(path.stat().st_mode) for path in directories} == {0o700}


@pytest.mark.local
@pytest.mark.xdist_group("gateway")
@pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="which addresses a process listens on is read from Linux's /proc"
)
def test_everything_that_is_started_listens_on_the_loopback_address_only(local_gateway: Any) -> None:
    everybody = _listening(local_gateway.pid)
    assert len(everybody) >= 3  # the gateway, the embedded AWS, the stand-in provider
    assert everybody == {address for address in everybody if address.startswith("0100007F:")}


def _listening(pid: int) -> set[str]:
    """Addresses on which a process and all of its descendants listen, as the kernel writes them."""
    family, sockets = {pid}, set()
    parents = {
        int(path.parent.name): int(path.read_text().rpartition(")")[2].split()[1]) for path in Path("/proc").glob("[0-9]*/stat")
    }
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    for member in family:
        for descriptor in Path(f"/proc/{member}/fd").glob("*"):
            target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
            if target.startswith("socket:["):
                sockets.add(target[8:-1])
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}
