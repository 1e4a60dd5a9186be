"""The invariants see what is broken: for each a gateway that breaks it, of which the kept inputs must tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from lambda_runtime import headers, http1, inflate, json_scan, request_body, secure_answer
from lambda_runtime.delivery import Delivery
from lambda_runtime.streams import event_stream, sse
from lambda_runtime.streams.chat import ChatReader
from lambda_runtime.translation import answers, chat_request, chat_stream, messages_request, messages_stream
from tests.fuzz import corpus
from tests.fuzz.targets import translated_answers, translated_requests

Patch = Callable[[pytest.MonkeyPatch], None]


def _rewritten(self: request_body.Body, model: str, **_options: Any) -> str:
    return json.dumps({**json.loads(self.text), "model": model})


def _all_headers(event: Any) -> list[tuple[bytes, bytes]]:
    names = event["multiValueHeaders"]
    return [(name.lower().encode(), value.encode()) for name, values in names.items() for value in values]


def _at_once(chunks: Any, encoding: str) -> Iterator[bytes]:
    yield b"".join(_INFLATED(chunks, encoding))


def _read_shorter(self: Any) -> bytes:
    try:
        return _READ(self)
    except http1.ClosedError:
        self._framing = http1._Framing.NONE
        return b""


_INFLATED = inflate.inflated
_READ = http1.ResponseReader.read
_FEED = event_stream.EventStream.feed
_FINISH = event_stream.EventStream.finish
_TO_MESSAGES = chat_request.chat_request_to_messages
_TO_CHAT = messages_request.messages_request_to_chat
_CHUNK = chat_stream.MessagesToChatStream.feed


def _to_messages(change: Callable[[list[dict[str, Any]]], object]) -> Patch:
    """A translation of whose messages something is changed."""
    return _translating("chat_request_to_messages", _TO_MESSAGES, change)


def _to_chat(change: Callable[[list[dict[str, Any]]], object]) -> Patch:
    """The same the other way."""
    return _translating("messages_request_to_chat", _TO_CHAT, change)


def _translating(name: str, translate: Callable[..., Any], change: Callable[[list[dict[str, Any]]], object]) -> Patch:
    def changed(body: Any, *, model: str) -> Any:
        result = translate(body, model=model)
        change(result.body["messages"])
        return result

    return lambda patch: patch.setattr(translated_requests, name, changed)


def _without_the_last(messages: list[dict[str, Any]]) -> None:
    del messages[1:]


def _backwards(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        if isinstance(message["content"], str):
            message["content"] = message["content"][::-1]


def _made_up(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        if isinstance(message["content"], str):
            message["content"] += " made up"


def _swapped(messages: list[dict[str, Any]]) -> None:
    """The first and the last say what the other has said."""
    messages[0]["content"], messages[-1]["content"] = messages[-1]["content"], messages[0]["content"]


def _other_roles(messages: list[dict[str, Any]]) -> None:
    """The system's words are the user's: nothing else is wrong with that."""
    for message in messages:
        if message["role"] == "system":
            message["role"] = "user"


def _to_the_last_call(messages: list[dict[str, Any]]) -> None:
    """All results are one call's."""
    for message in messages:
        if message["role"] == "tool":
            message["tool_call_id"] = "call_9"


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
    **{
        f"{what}, {direction}": ("translated_requests", translation(change))
        for direction, translation in (("to messages", _to_messages), ("to chat", _to_chat))
        for what, change in (
            ("a turn is lost", _without_the_last),
            ("a text is reversed", _backwards),
            ("a text is made up", _made_up),
            ("turns are swapped", _swapped),
        )
    },
    "the system's words are the user's": ("translated_requests", _to_chat(_other_roles)),
    "all results are one call's": ("translated_requests", _to_chat(_to_the_last_call)),
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


SEEN_BY: dict[str, type[Exception]] = {
    "NaN is read": ValueError,  # of the strict reader
    "any value passes": httpx.LocalProtocolError,  # of the gateway's own client, which is the last to look
}
"""What sees those that no assertion does."""


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
    expected = SEEN_BY.get(what, AssertionError)
    assert any(_fails(target, data, expected) for data in corpus.read(name).values())


def _fails(target: corpus.Target, data: bytes, expected: type[Exception]) -> bool:
    try:
        target.check(data)
    except expected:  # anything else would be the patch's own fault
        return True
    return False
