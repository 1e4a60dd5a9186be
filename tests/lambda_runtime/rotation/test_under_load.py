"""A rotation while clients call: gateway functions in processes of their own, and an upstream without mercy for the old key."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import idna
import pytest

from lambda_runtime.config import CONFIG_FILE, GatewayConfig, Operation
from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.gateway_kit import both_formats, event
from tests.lambda_runtime.rotation.kit import OLD, Secret, key_of, staged_rotation
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve

INSTANCES = 3
ROTATIONS = 4
REQUESTS_BETWEEN = 200
WAIT = 60.0


class Locked:
    """boto3's client of moto, whose secrets are not made for threads. Each request happens at one moment."""

    def __init__(self, client: Any, lock: threading.Lock) -> None:
        self._client, self._lock = client, lock
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            with self._lock:
                return operation(**arguments)

        return call


class Load:
    """Clients, one for each function instance, that ask as fast as they are answered."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.answered = threading.Condition()
        self.stop = threading.Event()

    def run(self, api: RuntimeApiServer) -> None:
        while not self.stop.is_set():
            api.push(event(Operation.CHAT_COMPLETIONS, {"model": "m"}))
            status = api.answer().prelude["statusCode"]
            with self.answered:
                self.statuses.append(status)
                self.answered.notify_all()

    def wait_for_more(self, number: int) -> None:
        with self.answered:
            goal = len(self.statuses) + number
            assert self.answered.wait_for(lambda: len(self.statuses) >= goal, WAIT), "the load has come to a halt"


@pytest.fixture
def lock() -> threading.Lock:
    return threading.Lock()


@pytest.fixture
def apis(secret: Secret, upstream: UpstreamServer, lock: threading.Lock, tmp_path: Path) -> Iterator[list[RuntimeApiServer]]:
    """The Runtime APIs of the instances. Their Secrets Manager is moto's, over HTTP."""
    root = make_task_root(tmp_path, "")
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / CONFIG_FILE).write_text(GatewayConfig(upstreams=(both_formats("main", upstream.url),)).to_json())

    def get_secret_value(received: Received, connection: Connection) -> None:
        assert (received.header("x-amz-target") or "").endswith(".GetSecretValue")
        assert json.loads(received.body) == {"SecretId": secret.arn}
        with lock:
            value = secret.value()
        answer_json({"SecretString": value})(received, connection)

    with ExitStack() as stack:
        secrets = stack.enter_context(serve())
        secrets.answer = get_secret_value
        environ = {
            "_HANDLER": "lambda_runtime.handler.handler",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_ENDPOINT_URL": secrets.url,
            "UPSTREAM_SECRET_MAIN": secret.arn,
        }
        apis = [stack.enter_context(RuntimeApiServer()) for _ in range(INSTANCES)]
        readers = []
        for api in apis:
            process = stack.enter_context(function(root, api.address, **environ))
            assert process.stdout is not None
            # Else the log of so many requests would fill the pipe.
            readers.append(threading.Thread(target=process.stdout.read))
            readers[-1].start()
        yield apis
    for reader in readers:
        reader.join(WAIT)


def test_rotations_under_load_lose_no_request(
    secret: Secret, upstream: UpstreamServer, apis: list[RuntimeApiServer], lock: threading.Lock
) -> None:
    refused = 0

    def answer(received: Received, connection: Connection) -> None:
        """The models are listed for the next key as well; everything else wants the current one, from this moment on."""
        nonlocal refused
        with lock:
            current = secret.value()
            valid = {current, secret.value("AWSPENDING")} if received.target == "/v1/models" else {current}
        if key_of(received) in valid:
            answer_json({"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]})(
                received, connection
            )
        else:
            refused += 1
            answer_json({"error": {"message": "Incorrect API key provided"}}, 401)(received, connection)

    upstream.answer = answer
    load = Load()
    clients = [threading.Thread(target=load.run, args=(api,)) for api in apis]
    for client in clients:
        client.start()
    locked = Locked(secret.client, lock)
    try:
        for number in range(ROTATIONS):
            load.wait_for_more(REQUESTS_BETWEEN)
            with lock:
                secret.stage(f"sk-next-{number:08}")
            secret.rotate(staged_rotation(secret, upstream.url), client=locked)
        load.wait_for_more(REQUESTS_BETWEEN)
    finally:
        load.stop.set()
        for client in clients:
            client.join(WAIT)
    assert secret.value() == f"sk-next-{ROTATIONS - 1:08}" != OLD
    assert len(load.statuses) >= 500
    assert set(load.statuses) == {200}
    # Not because nobody noticed: instances were refused, once for each rotation, and asked again with the new key.
    assert ROTATIONS <= refused <= INSTANCES * ROTATIONS
