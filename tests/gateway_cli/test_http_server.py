"""What the server in front does with HTTP itself."""

import base64
import gzip
import json
import socket
from pathlib import Path

from tests.gateway_cli.front_kit import KEY, Running, api, serving

HEAD = f"POST /prod/v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n"


def exchange(front: Running, *parts: bytes, until: bytes = b"") -> bytes:
    """Send the parts, each but the first only after something was answered; all that came back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        for index, part in enumerate(parts):
            if index:
                answer += connection.recv(1000)
            connection.sendall(part)
        while piece := connection.recv(65536):
            answer += piece
            if until and until in answer:
                break
    return answer


def test_no_answer_says_what_it_runs_on(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        replies = [front.ask(), front.ask(do="buffered"), front.ask(key=None), front.ask("OPTIONS"), front.ask(path="/nowhere")]
        assert [reply.status for reply in replies] == [200, 201, 401, 204, 403]
        assert [reply.headers["server"] for reply in replies] == [None] * 5
        for reply in replies:
            reply.read()


def test_a_client_that_asks_before_it_sends_its_body_need_not_wait(authorizer: Path) -> None:
    """As curl does with large bodies: without the answer it waits for a second each time."""
    with serving(api(authorizer)) as front:
        head = HEAD + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        answer = exchange(front, head.encode(), b"{}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_compressed_body_reaches_the_function_as_it_is(authorizer: Path) -> None:
    body = gzip.compress(b'{"model":"m"}')
    with serving(api(authorizer)) as front:
        reply = front.ask("POST", "/prod/v1/chat/completions", body=body, headers={"Content-Encoding": "gzip"})
        event = json.loads(reply.read())["event"]
    assert event["headers"]["Content-Encoding"] == "gzip"
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (body, True)


def test_what_is_no_http_costs_a_line_and_no_traceback(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        long = HEAD + "X-Long: " + "x" * 20_000 + "\r\n\r\n"
        assert b" 400 Bad Request\r\n" in exchange(front, long.encode(), until=b"\r\n")
        assert b" 400 Bad Request\r\n" in exchange(
            front, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", until=b"\r\n"
        )
        assert front.ask().status == 200
        assert "LineTooLong" in front.printed
        assert "Traceback" not in front.printed
        assert all(len(line) < 400 for line in front.printed.splitlines())
