"""What an upstream may do instead of answering."""

from __future__ import annotations

import gzip
from typing import Any

from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import (
    JSON,
    SSE,
    Answer,
    Connection,
    Received,
    answer_bytes,
    answer_json,
    answer_stream,
    answer_with_silence,
)


def status(number: int, /, *headers: tuple[str, str], **error: Any) -> Answer:
    return answer_json({"error": {"message": f"status {number}", **error}}, number, headers)


def cut_before_headers(*, reset: bool = False) -> Answer:
    return lambda _received, connection: connection.cut(reset=reset)


def cut_json(_received: Received, connection: Connection) -> None:
    connection.start(200, [JSON, ("content-length", "99")], chunked=False)
    connection.send(b'{"choices"')
    connection.cut()


def silent_after(*pieces: bytes, headers: tuple[str, str] = SSE) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [headers])
        for piece in pieces:
            connection.chunk(piece)
        connection.wait_until_peer_closes()

    return answer


ROLE = CHAT_STREAM[0]
FINISH = CHAT_STREAM[3]
DONE = CHAT_STREAM[4]
ERROR = b'data: {"error":{"message":"overloaded","code":503}}\n\n'
EMPTY_JSON = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]}

# What fails, and how often the first upstream is asked then, with two others behind it: never twice, for the one repeat is
# spent only where it leaves an attempt for each of the others.
EITHER: dict[str, Answer] = {
    "reset before headers": cut_before_headers(reset=True),
    "closed before headers": cut_before_headers(),
    "no http": lambda _received, connection: (connection.send(b"SSH-2.0\r\n\r\n"), connection.cut())[1],
    "402": status(402),
    "408": status(408),
    "429": status(429, ("retry-after", "30")),
    "429 soon": status(429, ("retry-after", "1")),
    "500": status(500),
    "501": status(501),
    "502": status(502),
    "503": status(503),
    "529": status(529),
    "redirect": answer_bytes(b"", 307, [("location", "http://127.0.0.1:1/")]),
    "html": answer_bytes(b"<html>hello</html>", headers=[("content-type", "text/html")]),
    "nothing": answer_bytes(b""),
    "silence": answer_with_silence,
    "silence after the headers": silent_after(),
    "error in json": answer_json({"error": {"type": "overloaded_error", "message": "m"}}),
    "gzip cut": answer_bytes(gzip.compress(b'{"a":1}')[:-5], headers=[JSON, ("content-encoding", "gzip")]),
    "not gzip": answer_bytes(b"{}", headers=[JSON, ("content-encoding", "gzip")]),
}
STREAMED: dict[str, Answer] = {
    "error event": answer_stream([ROLE, ERROR]),
    "error event at once": answer_stream([ERROR]),
    "empty stream": answer_stream([]),
    "frames only": answer_stream([ROLE]),
    "frames cut": answer_stream([ROLE], cut=True),
    "half an event": answer_stream([CHAT_STREAM[1][:30]]),
    "half an event cut": answer_stream([CHAT_STREAM[1][:30]], cut=True),
    "done alone": answer_stream([DONE]),
    "finished without content": answer_stream([ROLE, FINISH, DONE]),
    "malformed only": answer_stream([b"data: {\n\n"]),
    "comments only": answer_stream([b": hello\n\n"] * 3),
    "silence after frames": silent_after(ROLE),
    "silence in an event": silent_after(ROLE, CHAT_STREAM[1][:30]),
    "gzip stream cut": answer_bytes(gzip.compress(b"".join(CHAT_STREAM))[:20], headers=[SSE, ("content-encoding", "gzip")]),
}
UNSTREAMED: dict[str, Answer] = {
    "json cut": cut_json,
    "no json": answer_bytes(b'{"choices":'),
    "empty choices": answer_json({"choices": []}),
    "empty content": answer_json(EMPTY_JSON),
    "no choices": answer_json({"id": "x"}),
    "json silent": silent_after(b'{"choices":', headers=JSON),
}
