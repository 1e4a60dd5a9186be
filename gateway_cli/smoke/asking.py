"""Sends one small request and judges its answer, whole or streamed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway_cli.smoke.client import Reply, UnreachableError, requested
from gateway_cli.smoke.questions import called, error_text, is_answer, question, used, words_of
from gateway_cli.smoke.steps import Outcome, Step
from lambda_runtime.config import Operation
from lambda_runtime.streams.readers import Mark, reader_for
from lambda_runtime.streams.sse import EventSplitter, EventTooLongError

_OK, _BAD_REQUEST = 200, 400
_LIMIT_OF_NEW_MODELS = "max_completion_tokens"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Who is asked, and for what.

    Args:
        url: of the operation.
        operation: what is asked for.
        model: by the name that is known there.
        headers: with the key.
        key: which must not be shown.
        timeout: seconds to wait each time for something to come.
        strict: whether a stream that lacks its format's terminator has failed. Default: True.
    """

    url: str
    operation: Operation
    model: str
    headers: Mapping[str, str]
    key: str
    timeout: float
    strict: bool = True


def ask(asked: Asked, *, stream: bool) -> Step:
    """Send a request.

    Args:
        asked: to whom.
        stream: whether the answer is to be streamed.
    """
    limit = "max_tokens"
    step, body = _asked_once(asked, limit, stream=stream)
    if step.outcome is Outcome.FAILED and _LIMIT_OF_NEW_MODELS.encode() in body:
        # Models that reason refuse the field that all others know, and name this one.
        step, _ = _asked_once(asked, _LIMIT_OF_NEW_MODELS, stream=stream)
    return step


def _asked_once(asked: Asked, limit: str, *, stream: bool) -> tuple[Step, bytes]:
    """What came of it, and the body of a 400."""
    name = "stream" if stream else "request"
    failed = Step(name=name, subject=f"{asked.model} ({called(asked.operation)})", outcome=Outcome.FAILED, text="")
    body = question(asked.operation, asked.model, stream=stream, limit=limit)
    began = time.monotonic()
    try:
        with requested("POST", asked.url, headers=asked.headers, body=body, timeout=asked.timeout) as reply:
            failed = replace(failed, request_id=request_id(reply))
            if reply.status != _OK:
                refusal = reply.body()
                text = error_text(reply.status, refusal, asked.key)
                return replace(failed, text=text, seconds=reply.seconds), refusal if reply.status == _BAD_REQUEST else b""
            judged = _streamed(reply, asked, failed) if stream else _whole(reply, asked, failed)
            return replace(judged, seconds=reply.seconds), b""
    except UnreachableError as error:
        return replace(failed, text=str(error), seconds=time.monotonic() - began), b""


def request_id(reply: Reply) -> str:
    """The id by which an answer can be asked about."""
    return reply.headers.get("x-request-id") or reply.headers.get("request-id") or ""


def _whole(reply: Reply, asked: Asked, failed: Step) -> Step:
    try:
        document = json.loads(reply.body())
    except ValueError:
        return replace(failed, text="the answer is not JSON")
    if not is_answer(asked.operation, document):
        return replace(failed, text=f"the answer is none of {called(asked.operation)}")
    return replace(failed, outcome=Outcome.PASSED, text=used(document) or "answered")


def _streamed(reply: Reply, asked: Asked, failed: Step) -> Step:
    kind = reply.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        return replace(failed, text=f"the answer is no stream, but {kind or 'of no type'}")
    seen = _Stream(asked.operation)
    try:
        seen.read(reply)
    except (UnreachableError, EventTooLongError) as error:
        return replace(failed, text=f"{error or 'an event has no end'}, after {seen.events} events", first_token=seen.first)
    flaw = seen.flaw(asked)
    ended = "" if seen.reader.complete else ", no terminator"
    return replace(
        failed,
        outcome=Outcome.FAILED if flaw else Outcome.PASSED,
        text=flaw or f"{seen.events} events{ended}",
        first_token=seen.first,
    )


class _Stream:
    """A stream that is being read, by the rules by which the gateway reads those of upstreams.

    Args:
        operation: what was asked for.
    """

    def __init__(self, operation: Operation) -> None:
        self.reader = reader_for(operation, 1)
        self.events = 0
        self.first: float | None = None

    def read(self, reply: Reply) -> None:
        """Read it to its end."""
        splitter = EventSplitter()
        for piece in reply.pieces():
            self._take(reply, splitter.feed(piece))
        self._take(reply, [rest] if (rest := splitter.finish()) else [])

    def flaw(self, asked: Asked) -> str:
        """What is wrong with it; empty if nothing is."""
        if self.reader.error is not None:
            return f"the stream broke: {words_of({'error': self.reader.error}, asked.key)}"
        if not self.reader.finished:
            return f"the stream ended after {self.events} events, and its answer had not"
        if asked.strict and not self.reader.complete:
            return f"the stream ended after {self.events} events without its terminator"
        return ""

    def _take(self, reply: Reply, events: list[bytes]) -> None:
        for raw in events:
            self.events += 1
            if self.reader.read(raw) is Mark.CONTENT and self.first is None:
                self.first = reply.seconds
