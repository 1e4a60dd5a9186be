"""An upstream that costs next to nothing: answers are made beforehand, one thread a connection, raw sockets.

Run as `python -m benchmarks.upstream [PEM]`; prints its port, and a second one for TLS if there is a certificate.
`"stream":true` in the request's body asks for 200 events in a row. A marker in the prompt, which every gateway passes on, asks
for something else: see `benchmarks.calls`. A path that begins with `/failing` is answered with 500. It also plays the DynamoDB
table of a gateway all of whose upstreams are well and whose consumers have budgets that last, and the Secrets Manager that
holds an upstream's key.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from functools import cache

STREAM_CHUNKS = 200
PAUSE = 0.002
"""Seconds after the first event of a paced stream, so that what follows does not compete with it for the processor."""
STEADY_PAUSE = 0.005
"""Seconds between two events of a steady stream: 200 tokens a second, a fast model."""
LARGE = 7_900_000
"""Bytes of a large answer: what a gateway may hold back."""
BROKEN_AFTER = 3
"""Events of a broken stream."""
BROKEN_PAUSE = 1.0
"""Seconds before its connection is closed, in which a gateway has passed them on."""
RETRY_AFTER = 3
"""Seconds that a refusal asks for; longer than a gateway would wait by itself."""

_USAGE = {"prompt_tokens": 200, "completion_tokens": 60, "total_tokens": 260}


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "gpt-4.1",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _USAGE,
        },
    ).encode()


def _answer(status: str, body: bytes, headers: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nx-request-id: req_1\r\n%bcontent-length: %d\r\n\r\n"
    return head % (status.encode(), headers, len(body)) + body


_JSON_ANSWER = _answer("200 OK", _completion("Hello, world. " * 20))
_CLOSING_ANSWER = _answer("200 OK", _completion("Hello, world. " * 20), b"connection: close\r\n")
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
_USAGE_DATA = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1", "choices": []}
_USAGE_EVENT = _chunk(b"data: " + json.dumps(_USAGE_DATA | {"usage": _USAGE}).encode() + b"\n\n")

_FAILURE = _answer("500 Whatever", b'{"error":{"message":"it failed"}}')
_REFUSAL = _answer(
    "429 Too Many Requests",
    b'{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
    b"retry-after: %d\r\n" % RETRY_AFTER,
)
_TABLE = _answer("200 OK", b'{"Items":[],"Count":0}')
_MONTH = time.strftime("%Y-%m", time.gmtime())
_BUDGETS = {"tokens_per_day": 10**12, "tokens_per_month": 10**12}
_LIMITED = [
    {"sk": {"S": _MONTH}, "i": {"N": "1234567"}, "o": {"N": "234567"}, "u": {"N": "5123456789"}},
    {"sk": {"S": "limits"}, "limits": {"S": json.dumps(_BUDGETS)}},
]
_CONSUMER = _answer("200 OK", json.dumps({"Items": _LIMITED, "Count": len(_LIMITED)}).encode())
_SECRET = _answer("200 OK", b'{"Name":"openai","SecretString":"{\\"apiKey\\":\\"key\\"}"}')


@cache
def _large_answer(*, to_messages: bool) -> bytes:
    text = "Hello, world! " * (LARGE // 14)
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 200, "output_tokens": 60},
    }
    return _answer("200 OK", json.dumps(message).encode() if to_messages else _completion(text))


def _read_request(sock: socket.socket) -> bytes:
    data = bytearray()
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
    return bytes(data)


def _says(request: bytes, field: bytes) -> bool:
    """Whether a field is true, as compact JSON has it or as Python's `json` does."""
    return b'"%b":true' % field in request or b'"%b": true' % field in request


def serve(listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
    """Serve each connection in a thread of its own, until the process is ended.

    Args:
        listener: accepts the connections.
        tls: for connections that use it. Default: they do not.
    """
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve_one, args=(sock, tls), daemon=True).start()


def _serve_one(plain: socket.socket, tls: ssl.SSLContext | None) -> None:
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with tls.wrap_socket(plain, server_side=True) if tls else plain as sock:
            while (request := _read_request(sock)) and _serve_request(sock, request):
                pass
    except OSError:
        # A client that has gone, as some do that were told of a broken stream.
        return


def _serve_request(sock: socket.socket, request: bytes) -> bool:
    """Answer. False where the connection is at its end."""
    if request.startswith(b"POST / "):
        sock.sendall(_SECRET if b"secretsmanager" in request else _CONSUMER if b"usage#" in request else _TABLE)
    elif request.startswith(b"POST /failing/"):
        sock.sendall(_FAILURE)
    elif b"[refused]" in request:
        sock.sendall(_REFUSAL)
    elif _says(request, b"stream"):
        return _stream(sock, request)
    elif b"[closing]" in request:
        sock.sendall(_CLOSING_ANSWER)
        return False
    else:
        is_large = b"[large]" in request
        sock.sendall(_large_answer(to_messages=b"/messages " in request[:100]) if is_large else _JSON_ANSWER)
    return True


def _stream(sock: socket.socket, request: bytes) -> bool:
    usage = _USAGE_EVENT if _says(request, b"include_usage") else b""
    sock.sendall(_FIRST)
    if b"[broken]" in request:
        sock.sendall(b"".join(_MIDDLE[: BROKEN_AFTER - 1]))
        time.sleep(BROKEN_PAUSE)
        return False
    if b"[paced]" in request:
        time.sleep(PAUSE)
        sock.sendall(b"".join([*_MIDDLE, usage, _LAST]))
        return True
    pause = STEADY_PAUSE if b"[steady]" in request else 0
    # Each event in a system call of its own, as a provider sends it.
    for event in _MIDDLE:
        if pause:
            time.sleep(pause)
        sock.sendall(event)
    sock.sendall(usage + _LAST)
    return True


def main() -> None:
    """Serve until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
        ports = [plain.getsockname()[1]]
        if len(sys.argv) > 1:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(sys.argv[1])
            threading.Thread(target=serve, args=(secure, tls), daemon=True).start()
            ports.append(secure.getsockname()[1])
        print(*ports, flush=True)
        serve(plain)


if __name__ == "__main__":
    main()
