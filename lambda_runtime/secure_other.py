"""Secures an answer that came the other way than it was asked for: a stream for JSON, or JSON for a stream.

Some relays do either. Passed on as it came, the SDKs would take it for an empty answer, or for a text, without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from lambda_runtime.answer import Answer
from lambda_runtime.client_request import Question
from lambda_runtime.config import Operation
from lambda_runtime.errors import UpstreamError
from lambda_runtime.json_scan import parse_object
from lambda_runtime.secure_answer import given_up, secure_stream, secure_whole
from lambda_runtime.streams.as_document import assembler_for
from lambda_runtime.streams.as_events import as_events
from lambda_runtime.streams.readers import EventReader, Mark, reader_for
from lambda_runtime.streams.sse import MAX_EVENT, EventSplitter, EventTooLongError
from lambda_runtime.upstream_call import UpstreamCall

_ERROR = 400
_INVALID = "upstream_invalid_answer"
_SILENT = frozenset({Mark.FILLER, Mark.MALFORMED})


def secure_unstreamed(
    question: Question, asked: Operation, call: UpstreamCall, pieces: Iterator[bytes], *, choices: int, whole: bool
) -> Answer:
    """Read JSON, and make the stream of it that was asked for. Arguments and errors as of `secure_stream`."""
    operation = question.candidate.operation
    body = b"".join(_bounded(pieces))
    document = parse_object(body)
    if document is None:
        return secure_whole(question, asked, call, iter((body,)))
    if document.get("error"):
        answer = secure_whole(question, asked, call, iter((body,)))
        if answer.status >= _ERROR:
            return answer
    if operation is Operation.RESPONSES:
        raise UpstreamError("the upstream answered without a stream, which was asked for", code=_INVALID)
    # The figures come with every whole answer, and not because anybody asked for them.
    question = question._replace(hide_usage=not question.wants_usage)
    return secure_stream(question, asked, call, iter((as_events(document, operation),)), choices=choices, whole=whole)


def secure_streamed(
    question: Question, asked: Operation, call: UpstreamCall, pieces: Iterator[bytes], *, choices: int
) -> Answer:
    """Read a stream, and make the JSON of it that was asked for. Arguments and errors as of `secure_whole`."""
    operation = question.candidate.operation
    reader = reader_for(operation, choices)
    assembler = assembler_for(operation)
    cut: UpstreamError | None = None
    try:
        for raw in _events(_bounded(pieces), reader):
            mark = reader.read(raw)
            if mark is Mark.ERROR:
                return given_up(question, asked, call, reader.error)
            if mark not in _SILENT and not (mark is Mark.END and operation is Operation.CHAT_COMPLETIONS):
                assembler.add(reader.event)
    except UpstreamError as error:
        cut = error
    if not (reader.complete or reader.finished):
        if cut is not None:
            raise cut
        raise UpstreamError("the upstream's stream ended before the answer was complete", code="upstream_stream_interrupted")
    document = assembler.document()
    if document is None:
        raise UpstreamError("the upstream answered with a stream, which was not asked for and is no answer", code=_INVALID)
    answer = secure_whole(question, asked, call, iter((json.dumps(document).encode(),)))
    call.close()  # what may come after the terminator is no part of the answer
    return answer._replace(call=None)


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, as long as they are not too much to be held."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_EVENT:
            raise UpstreamError("the upstream's answer is longer than the gateway can hold")
        yield piece


def _events(pieces: Iterator[bytes], reader: EventReader) -> Iterator[bytes]:
    splitter = EventSplitter()
    try:
        for piece in pieces:
            for raw in splitter.feed(piece):
                if raw:
                    yield raw
                if reader.complete:
                    return
    except EventTooLongError:
        raise UpstreamError("an event of the upstream's stream is longer than the gateway takes") from None
    rest = splitter.finish()
    if rest:
        yield rest
