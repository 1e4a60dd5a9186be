"""Versions and alias weights, changed with boto3 while the gateway runs, and what workers that die do to it."""

import io
import json
import os
import signal
import time
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_cli.local.refreshed import STALE_SECONDS
from tests.local_gateway import LocalGateway, until, workers_of

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]


def function_of(gateway: LocalGateway) -> tuple[Any, str, str]:
    """Client, function name and the alias's version."""
    client = gateway.client("lambda")
    for function in client.list_functions()["Functions"]:
        for alias in client.list_aliases(FunctionName=function["FunctionName"])["Aliases"]:
            if alias["Name"] == "live":
                return client, function["FunctionName"], alias["FunctionVersion"]
    raise AssertionError("no function has the alias live")


def with_model(code: bytes, model: str) -> bytes:
    """The function's code with one more name in its model map."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "gateway.json":
                config = json.loads(content)
                config["models"][model] = {"targets": [{"name": "openai/gpt-4o"}]}
                content = json.dumps(config).encode()
            new.writestr(entry, content)
    return changed.getvalue()


# Of 800 requests; the new version's count is outside of these less than once in 10,000,000 runs.
BOUNDS = {0.05: (12, 77), 0.25: (137, 267)}


def test_alias_weights_divide_requests_between_two_codes(http: httpx.Client, local_gateway: LocalGateway) -> None:
    _, unlimited = local_gateway.add_key("unlimited")
    client, name, stable = function_of(local_gateway)
    location = client.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(location) as reply:
        code = reply.read()
    client.update_function_code(FunctionName=name, ZipFile=with_model(code, "only-in-the-new-version"))
    new = client.publish_version(FunctionName=name)["Version"]
    assert new != stable
    chat = {"model": "only-in-the-new-version", "messages": [{"role": "user", "content": "hello"}]}

    def answered(count: int) -> list[int]:
        """How many requests the new and the old version answer."""
        # The new name goes to an upstream under its own name in the old version, which the stand-in takes, too: the answer's
        # model tells which version answered.
        replies = [http.post("/v1/chat/completions", json=chat, headers=unlimited).json()["model"] for _ in range(count)]
        return [replies.count("gpt-4o"), count - replies.count("gpt-4o")]

    def set_weight(weight: float) -> None:
        weights = {new: weight} if weight else {}
        client.update_alias(
            FunctionName=name, Name="live", FunctionVersion=stable, RoutingConfig={"AdditionalVersionWeights": weights}
        )

    try:
        set_weight(1.0)
        until(lambda: answered(5) == [5, 0])
        set_weight(0.5)
        until(lambda: answered(5) != [5, 0])
        for weight, (least, most) in BOUNDS.items():
            set_weight(weight)
            # Longer than the gateway goes by what it has read of the alias before.
            changed = time.monotonic()
            until(lambda changed=changed: time.monotonic() > changed + STALE_SECONDS)
            with ThreadPoolExecutor(4) as clients:
                counts = list(clients.map(answered, [100] * 8))
            assert least <= sum(count[0] for count in counts) <= most
            assert sum(map(sum, counts)) == 800
    finally:
        set_weight(0.0)
    until(lambda: answered(5) == [0, 5])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers through /proc")
def test_workers_that_die_are_replaced(http: httpx.Client, local_gateway: LocalGateway, bearer: dict[str, str]) -> None:
    assert http.get("/v1/models", headers=bearer).status_code == 200
    killed = workers_of(local_gateway.pid)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    statuses = [http.get("/v1/models", headers=bearer).status_code for _ in range(len(killed) + 3)]
    assert statuses.count(502) <= len(killed)
    assert statuses[-3:] == [200, 200, 200]
    assert set(workers_of(local_gateway.pid)).isdisjoint(killed)
