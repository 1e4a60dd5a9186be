"""A function that does what the request's `x-do` header says. It speaks the Runtime API with the standard library alone."""

import base64
import http.client
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = "/2018-06-01/runtime"
STREAMING = {
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Transfer-Encoding": "chunked",
    "Lambda-Runtime-Function-Response-Mode": "streaming",
}


def post(connection: http.client.HTTPConnection, path: str, body: object, headers: Mapping[str, str] | None = None) -> None:
    connection.request("POST", ROOT + path, json.dumps(body), dict(headers or {}))
    connection.getresponse().read()


class Stream:
    """A streamed answer."""

    def __init__(
        self, connection: http.client.HTTPConnection, request_id: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.connection = connection
        connection.putrequest("POST", f"{ROOT}/invocation/{request_id}/response")
        for name, value in STREAMING.items():
            connection.putheader(name, value)
        connection.endheaders()
        prelude = {"statusCode": 200, "headers": headers or {"content-type": "text/event-stream"}, "cookies": []}
        self.write(json.dumps(prelude).encode())
        self.write(b"\0" * 8)

    def write(self, data: bytes) -> None:
        self.connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self, trailers: Iterable[tuple[str, str]] = ()) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
        self.connection.send(f"0\r\n{lines}\r\n".encode())
        self.connection.getresponse().read()


def wait_for(path: str) -> None:
    """Until a test has made a file: the test decides when the function goes on."""
    while not Path(path).exists():
        time.sleep(0.002)


class Actions:
    """What the function can do. Each takes what follows `=` in the header, and the event."""

    def __init__(self, connection: http.client.HTTPConnection, request_id: str) -> None:
        self.connection = connection
        self.request_id = request_id

    def stream(self, **headers: str) -> Stream:
        return Stream(self.connection, self.request_id, headers)

    def echo(self, _: str, event: Any) -> None:
        facts = {"event": event, "pid": os.getpid(), "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"]}
        stream = self.stream()
        stream.write(json.dumps(facts).encode())
        stream.end()

    def buffered(self, _: str, __: Any) -> None:
        answer = {"statusCode": 201, "headers": {"x-one": "1", "date": "then"}, "body": "aGk=", "isBase64Encoded": True}
        post(self.connection, f"/invocation/{self.request_id}/response", answer)

    def gated(self, gate: str, _: Any) -> None:
        stream = self.stream()
        stream.write(b"data: first\n\n")
        wait_for(gate)
        stream.write(b"data: second\n\n")
        stream.end()

    def hold(self, gate: str, _: Any) -> None:
        wait_for(gate)
        self.stream().end()

    def silent_head(self, gate: str, _: Any) -> None:
        stream = self.stream()
        wait_for(gate)
        stream.end()

    def die(self, _: str, __: Any) -> None:
        os._exit(3)

    def die_midway(self, gate: str, _: Any) -> None:
        self.stream().write(b"data: first\n\n")
        wait_for(gate)
        os._exit(3)

    def flood(self, _: str, __: Any) -> None:
        stream = self.stream()
        while True:
            stream.write(b"x" * 65536)

    def trailers(self, gate: str, _: Any) -> None:
        stream = self.stream()
        stream.write(b"data: first\n\n")
        wait_for(gate)
        body = base64.b64encode(json.dumps({"errorMessage": "the upstream hung up", "errorType": "Broken"}).encode())
        stream.end(
            [
                ("Lambda-Runtime-Function-Error-Type", "Function.Broken"),
                ("Lambda-Runtime-Function-Error-Body", body.decode()),
            ]
        )

    def error(self, _: str, __: Any) -> None:
        report = {"errorMessage": "no luck", "errorType": "Luck"}
        kind = {"Lambda-Runtime-Function-Error-Type": "Function.Luck"}
        post(self.connection, f"/invocation/{self.request_id}/error", report, kind)

    def nonsense(self, _: str, __: Any) -> None:
        post(self.connection, f"/invocation/{self.request_id}/response", [])

    def big_headers(self, _: str, __: Any) -> None:
        Stream(self.connection, self.request_id, {"x-big": "x" * 10_241}).end()

    def measure(self, _: str, __: Any) -> None:
        """A line in the embedded metric format, of a time that the test names, too."""
        directive = {"Namespace": "Mine", "Dimensions": [["Kind"]], "Metrics": [{"Name": "Things"}]}
        line = {"_aws": {"Timestamp": 1_800_000_000_000, "CloudWatchMetrics": [directive]}, "Kind": "good", "Things": 5}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self.stream().end()

    def complain(self, _: str, __: Any) -> None:
        sys.stderr.write("something is odd\n")
        sys.stderr.flush()
        self.stream().end()


def main() -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    if os.environ.get("DUMMY_INIT") == "error":
        post(connection, "/init/error", {"errorMessage": "no configuration", "errorType": "Init"})
        sys.exit(1)
    while True:
        connection.request("GET", f"{ROOT}/invocation/next")
        reply = connection.getresponse()
        event = json.loads(reply.read())
        headers = {name.lower(): value for name, value in event["headers"].items()}
        action, _, argument = headers.get("x-do", "echo").partition("=")
        sys.stdout.write(json.dumps({"level": "INFO", "message": f"doing {action}"}) + "\n")
        sys.stdout.flush()
        actions = Actions(connection, reply.headers["Lambda-Runtime-Aws-Request-Id"])
        getattr(actions, action.replace("-", "_"))(argument, event)


main()
