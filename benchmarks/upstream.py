"""An upstream that costs next to nothing: answers are made beforehand, one thread, raw sockets.

Run as `python -m benchmarks.upstream`; prints its port. `"stream":true` in the request's body asks for 200 events in a row,
`"user":"paced"` with it for a pause after the first. A path that begins with `/failing` is answered with 500. It also plays the
DynamoDB table of a gateway all of whose upstreams are well.
"""

from __future__ import annotations

import json
import socket
import threading
import time

STREAM_CHUNKS = 200
PAUSE = 0.002
"""Seconds after the first event of a paced stream, so that what follows does not compete with it for the processor."""

_COMPLETION = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4.1",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello, world. " * 20}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260},
    },
).encode()
_JSON_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_1\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_COMPLETION),
    _COMPLETION,
)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(number: int) -> bytes:
    delta = {
        "index": 0,
        "delta": {"content": f"token{number} "},
        "finish_reason": "stop" if number == STREAM_CHUNKS - 2 else None,
    }
    data = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1", "choices": [delta]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


_EVENTS = [_chunk(_event(number)) for number in range(STREAM_CHUNKS - 1)] + [_chunk(b"data: [DONE]\n\n")]
_FIRST, *_MIDDLE, _LAST = [_STREAM_HEAD + _EVENTS[0], *_EVENTS[1:-1], _EVENTS[-1] + b"0\r\n\r\n"]

_REST = b"".join([*_MIDDLE, _LAST])


_FAILURE = (
    b'HTTP/1.1 500 Whatever\r\ncontent-type: application/json\r\ncontent-length: 33\r\n\r\n{"error":{"message":"it failed"}}'
)
_TABLE = b'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 22\r\n\r\n{"Items":[],"Count":0}'


def _read_request(sock: socket.socket) -> bytes:
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        more = sock.recv(65536)
        if not more:
            return b""
        data += more
    head = data[:end].lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    while len(data) < end + 4 + length:
        data += sock.recv(65536)
    return data


def serve(listener: socket.socket) -> None:
    """Serve each connection in a thread of its own, until the process is ended.

    Args:
        listener: accepts the connections.
    """
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve_one, args=(sock,), daemon=True).start()


def _serve_one(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while request := _read_request(sock):
        if request.startswith(b"POST / "):
            sock.sendall(_TABLE)
        elif request.startswith(b"POST /failing/"):
            sock.sendall(_FAILURE)
        elif b'"stream":true' in request and b'"user":"paced"' in request:
            sock.sendall(_FIRST)
            time.sleep(PAUSE)
            sock.sendall(_REST)
        elif b'"stream":true' in request:
            # Each event in a system call of its own, as a provider sends it.
            sock.sendall(_FIRST)
            for event in _MIDDLE:
                sock.sendall(event)
            sock.sendall(_LAST)
        else:
            sock.sendall(_JSON_ANSWER)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        serve(server)
