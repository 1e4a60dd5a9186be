"""Whatever an upstream answers: the client gets a whole answer in its format, or is told that it is none."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.config import Operation
from tests.fuzz.ends import OPERATIONS, document_of, is_end, says_why
from tests.fuzz.gateway import Answered, Outcome, answer
from tests.fuzz.inputs import chosen, cut, data_of, events_in, name_of, standard, taken_apart
from tests.fuzz.shapes import strict
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY
from tests.lambda_runtime.gateway_kit import event as event_of

KIND = "stream"
SOURCES = ("lambda_runtime/streams", "lambda_runtime/secure_answer.py", "lambda_runtime/failures.py")
OUTCOMES = frozenset({"document", "client's error", "upstream's error", "stream whole", "stream broken"})

_STATUSES = {
    "A": 201,
    "B": 302,
    "C": 400,
    "D": 401,
    "E": 403,
    "F": 404,
    "G": 408,
    "H": 413,
    "I": 429,
    "J": 500,
    "K": 503,
    "L": 529,
}
_TYPES = {"e": b"text/event-stream", "j": b"application/json", "t": b"text/plain"}


def check(data: bytes) -> str:
    """What the client gets of an answer."""
    options, material = taken_apart(data)
    asked = OPERATIONS[chosen(options, "cmr", "c")]
    streamed = "s" in options
    model = "c" if (asked is Operation.MESSAGES) != ("x" in options) and asked is not Operation.RESPONSES else "m"
    status = _STATUSES.get(chosen(options, "".join(_STATUSES), ""), 200)
    body = material.replace(b"THE-KEY", UPSTREAM_KEY.encode())
    headers = [
        (b"content-type", _TYPES[chosen(options, "ejt", "e")]),
        (b"set-cookie", b"a=b"),
        (b"retry-after", b"1"),
        (b"x-request-id", b"upstream-1"),
        (b"openai-version", b"1\x00"),
    ]
    if "y" in options:
        headers += [(b"x-ratelimit-%d" % number, b"v" * 200) for number in range(60)]
    answered = Answered(status, headers, cut(options, body), "k" in options)
    request: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "input": "hi"}
    if streamed:
        request["stream"] = True
    if "o" in options and asked is Operation.CHAT_COMPLETIONS:
        request["stream_options"] = {"include_usage": True}
    delivery = {"X-Ai-Gateway-Delivery": "whole"} if "w" in options else {}
    outcome = answer(event_of(asked, request, headers=delivery), lambda _request: answered)
    assert 1 <= len(outcome.requests) <= 3
    return _judged(outcome, asked, body, streamed=streamed, crossed="x" in options, cut_short=answered.cut, status=status)


def _judged(
    outcome: Outcome, asked: Operation, body: bytes, *, streamed: bool, crossed: bool, cut_short: bool, status: int
) -> str:
    writer = outcome.writer
    line = outcome.log[-1]
    assert line["status"] == writer.status
    assert line["bytes_out"] == len(writer.body)
    if writer.status >= 400:
        assert isinstance(strict(writer.body) if crossed else json.loads(writer.body), dict)
        assert UPSTREAM_KEY.encode() not in writer.body
        assert len(writer.body) <= 6 * len(body) + 1000
        return "client's error" if writer.status < 500 else "upstream's error"
    assert status < 300
    if not streamed:
        assert writer.header("content-type") == "application/json"
        document = json.loads(writer.body)
        assert isinstance(document, dict)
        assert not document.get("error") or asked is Operation.RESPONSES
        assert not cut_short or _is_stream(body)
        if crossed and asked is not Operation.RESPONSES:
            strict(writer.body)
        return "document"
    assert str(writer.header("content-type")).startswith("text/event-stream")
    events = [(name_of(event), data_of(event)) for event in events_in(writer.body)]
    name, data = events[-1] if events else ("", None)
    last = document_of(data) or {}
    failed = "response.failed" in (last.get("type"), name)
    whole = is_end(name, data, asked) and not failed
    _whole_only_if_it_was(body, asked, whole=bool(events) and is_end(*events[-1], asked, to_anybody=True), crossed=crossed)
    if whole and writer.failure is None:
        assert line["Errors"] == 0
        return "stream whole"
    assert failed or last.get("error") or "error" in (name, last.get("type"))
    assert line["Errors"] == 1
    return "stream broken"


def _is_stream(body: bytes) -> bool:
    return not body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def _whole_only_if_it_was(body: bytes, asked: Operation, *, whole: bool, crossed: bool) -> None:
    """The one rule above all: a truncated answer does not look complete."""
    if not whole or not _is_stream(body):
        return
    other = Operation.MESSAGES if asked is Operation.CHAT_COMPLETIONS else Operation.CHAT_COMPLETIONS
    operation = other if crossed and asked is not Operation.RESPONSES else asked
    read = [(name_of(event), data_of(event)) for event in standard(body)]
    documents = [document_of(data) for _, data in read]
    terminated = any(is_end(name, data, operation) for name, data in read)
    assert terminated or says_why([document for document in documents if document is not None], 1)
