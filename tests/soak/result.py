"""What came of a request, as its client sees it, and whether a client may see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from tests.soak.asks import Ask
from tests.soak.reading import Heard, agrees, read_document, read_error, read_stream
from tests.soak.said import Figures, heard, is_beginning

FRONT = "of the front"
"""The code of errors that are the front's own."""


class End(StrEnum):
    """How a request ends."""

    WHOLE = "whole answers"
    ERROR = "answered with an error"
    TOLD = "broken streams told as broken"
    CUT = "connections cut"
    LEFT = "left by the client"
    REFUSED = "refused for a wrong key"
    WRONG = "what no client may see"


class Result(NamedTuple):
    """What came of a request.

    Args:
        serial: its number.
        format: asked for.
        model: asked for.
        streamed: whether a stream was.
        slow: whether the client was a slow one.
        end: how it ended.
        request_id: the front's; empty if the client did not get it.
        status: HTTP status; 0 if none came.
        code: of the error, or empty.
        upstream: who answered, of a whole answer.
        figures: what it cost, of a whole answer.
        milliseconds: until its end.
        begun: when it began, seconds since the epoch.
        ended: when it ended.
        wrong: what no client may see; empty if nothing.
    """

    serial: int
    format: str
    model: str
    streamed: bool
    slow: bool
    end: End
    request_id: str = ""
    status: int = 0
    code: str = ""
    upstream: str = ""
    figures: Figures | None = None
    milliseconds: float = 0.0
    begun: float = 0.0
    ended: float = 0.0
    wrong: str = ""


class Received(NamedTuple):
    """What a client has received.

    Args:
        status: HTTP status; 0 if none came.
        headers: by lower-case name.
        body: what there is of it.
        whole: whether HTTP says that this is all.
        left: whether the client went away before.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    left: bool


def judge(ask: Ask, received: Received, *, slow: bool) -> Result:
    """Say what came of a request.

    Args:
        ask: the request.
        received: the answer.
        slow: whether the client was a slow one.
    """
    request_id = received.headers.get("x-amzn-requestid", "")
    result = Result(ask.serial, ask.format, ask.model, ask.streamed, slow, End.CUT, request_id, received.status)
    try:
        return _judged(ask, received, result)
    except ValueError as error:
        return result._replace(end=End.WRONG, wrong=str(error))


def _judged(ask: Ask, received: Received, result: Result) -> Result:
    """The same, raising ValueError for what no client may see."""
    if received.status >= 400:
        return _error(ask, received, result)
    if not ask.consumer:
        raise ValueError(f"a wrong key was let through with status {received.status}")
    if received.status == 0:
        return result
    if received.status != 200:
        raise ValueError(f"status {received.status}")
    if ask.streamed:
        return _stream(ask, received, result)
    if not received.whole:
        return result._replace(end=End.LEFT) if received.left else result
    _require_type(received, "application/json")
    return _whole(ask, read_document(ask, received.body), result)


def _error(ask: Ask, received: Received, result: Result) -> Result:
    if not ask.consumer and received.status == 403:
        return result._replace(end=End.REFUSED)
    if not received.whole:
        return result
    if json.loads(received.body).keys() == {"message"}:
        return result._replace(end=End.ERROR, code=FRONT)
    _require_type(received, "application/json")
    told = read_error(ask, received.body)
    # The SDKs would repeat it, and each of their attempts would be three of ours.
    if (received.status in {408, 409, 429} or received.status >= 500) and received.headers.get("x-should-retry") != "false":
        raise ValueError(f"status {received.status} invites to repeat")
    return result._replace(end=End.ERROR, code=told.error)


def _stream(ask: Ask, received: Received, result: Result) -> Result:
    _require_type(received, "text/event-stream")
    answer = read_stream(ask, received.body)
    if answer.whole:
        return _whole(ask, answer, result)
    if not is_beginning(answer.text, ask.serial):
        raise ValueError(f"what came before the end is another's: {answer.text[:100]!r}")
    if answer.error:
        return result._replace(end=End.TOLD, code=answer.error)
    if received.left:
        return result._replace(end=End.LEFT)
    if received.whole:
        raise ValueError("a stream ended with neither terminator nor error event")
    return result


def _whole(ask: Ask, answer: Heard, result: Result) -> Result:
    if not answer.whole:
        raise ValueError("a document that does not say that it is complete")
    try:
        upstream, figures = heard(answer.text, ask.serial)
    except ValueError as error:
        raise ValueError(f"it looks complete and is not: {error}") from error
    if not agrees(ask, answer, figures):
        raise ValueError(f"the client is told {answer.usage}, and the upstream has said {figures}")
    return result._replace(end=End.WHOLE, upstream=upstream, figures=figures)


def _require_type(received: Received, wanted: str) -> None:
    if not received.headers.get("content-type", "").startswith(wanted):
        raise ValueError(f"status {received.status} with content type {received.headers.get('content-type')!r}")
