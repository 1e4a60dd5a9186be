"""The invariants see what is broken: for each a gateway that breaks it, of which the kept inputs must tell."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambda_runtime import headers, http1, json_scan, request_body, secure_answer
from lambda_runtime.delivery import Delivery
from lambda_runtime.streams import event_stream, sse
from lambda_runtime.streams.chat import ChatReader
from lambda_runtime.translation import answers, chat_request, chat_stream, messages_stream
from tests.fuzz import corpus
from tests.fuzz.targets import translated_answers, translated_requests

Patch = Callable[[pytest.MonkeyPatch], None]


def _rewritten(self: request_body.Body, model: str, **_options: Any) -> str:
    return json.dumps({**json.loads(self.text), "model": model})


def _all_headers(event: Any) -> list[tuple[bytes, bytes]]:
    names = event["multiValueHeaders"]
    return [(name.lower().encode(), value.encode()) for name, values in names.items() for value in values]


def _at_once(chunks: Any, _encoding: str) -> Iterator[bytes]:
    yield gzip.decompress(b"".join(chunks))


def _read_shorter(self: Any) -> bytes:
    try:
        return _READ(self)
    except http1.ClosedError:
        self._framing = http1._Framing.NONE
        return b""


_READ = http1.ResponseReader.read
_FEED = event_stream.EventStream.feed
_FINISH = event_stream.EventStream.finish
_TO_MESSAGES = chat_request.chat_request_to_messages
_CHUNK = chat_stream.MessagesToChatStream.feed


def _without_the_last(body: Any, *, model: str) -> Any:
    result = _TO_MESSAGES(body, model=model)
    result.body["messages"] = result.body["messages"][:1]
    return result


def _twice(self: Any, event: Any) -> bytes:
    return _CHUNK(self, event) * 2


BROKEN: dict[str, tuple[str, Patch]] = {
    "a body is written anew": ("bodies", lambda patch: patch.setattr(request_body.Body, "rewritten", _rewritten)),
    "NaN is read": ("bodies", lambda patch: patch.setattr(request_body, "scan", json.JSONDecoder().scan_once)),  # type: ignore[attr-defined]
    "all headers pass": ("requests", lambda patch: patch.setattr(headers, "to_upstream", _all_headers)),
    "any value passes": ("requests", lambda patch: patch.setattr(headers, "_VALUE", lambda _value: True)),
    "a stream is ended however it ended": (
        "streams",
        lambda patch: patch.setattr(event_stream.EventStream, "finish", lambda self: _FINISH(self) + self.reader.terminator),
    ),
    "pieces are taken for events": (
        "streams",
        lambda patch: patch.setattr(sse.EventSplitter, "feed", lambda _self, piece: [piece]),
    ),
    "ids are passed on": ("streams", lambda patch: patch.setattr(event_stream, "_has_id", lambda _data: False)),
    "an event ends at the first line feed": ("streams", lambda patch: patch.setattr(sse, "_LF", b"\n")),
    "a word is lost": (
        "translated_streams",
        lambda patch: patch.setattr(messages_stream, "text_of", lambda _content: ""),
    ),
    "a chunk is sent twice": (
        "translated_streams",
        lambda patch: patch.setattr(chat_stream.MessagesToChatStream, "feed", _twice),
    ),
    "a third format is translated": (
        "translated_streams",
        lambda patch: patch.setattr(ChatReader, "_other", _other_as_own),
    ),
    "a turn is lost": (
        "translated_requests",
        lambda patch: patch.setattr(translated_requests, "chat_request_to_messages", _without_the_last),
    ),
    "thoughts are said": (
        "translated_answers",
        lambda patch: patch.setattr(translated_answers, "chat_answer_to_messages", _loud),
    ),
    "infinity is written": (
        "translated_answers",
        lambda patch: patch.setattr(answers, "parse_arguments", json.loads),
    ),
    "a body that is cut passes for a whole one": (
        "http",
        lambda patch: patch.setattr(http1.ResponseReader, "read", _read_shorter),
    ),
    "a bomb is taken at once": ("http", lambda patch: patch.setattr("lambda_runtime.upstream_call.inflated", _at_once)),
    "a break is not told": (
        "answers",
        lambda patch: patch.setattr(Delivery, "fail", lambda self, _error, **_options: self.end()),
    ),
    "half an answer is passed on": (
        "answers",
        lambda patch: patch.setattr(
            secure_answer, "parse_object", lambda data: json_scan.parse_object(data) or {"choices": [5]}
        ),
    ),
}


def _other_as_own(self: Any, raw: bytes, event: Any) -> Any:
    mark = _OTHER(self, raw, event)
    self.foreign = False
    return mark


_OTHER = ChatReader._other


def _loud(answer: Any) -> Any:
    result = answers.chat_answer_to_messages(answer)
    for block in result["content"]:
        if block["type"] == "thinking":
            block |= {"type": "text", "text": block["thinking"]}
    return result


@pytest.mark.parametrize("what", list(BROKEN))
def test_it_is_seen(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, patch = BROKEN[what]
    target = corpus.target(name)
    patch(monkeypatch)
    assert any(_fails(target, data) for data in corpus.read(name).values())


def _fails(target: corpus.Target, data: bytes) -> bool:
    try:
        target.check(data)
    except Exception:  # noqa: BLE001  whatever it is, it would be a finding
        return True
    return False
