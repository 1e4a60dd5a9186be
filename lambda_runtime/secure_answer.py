"""Secures an answer: reads of a good status until there is something that the client can be given.

That is the first content of a stream, or the whole of any other answer. A stream that fails before, an empty answer and one
that was cut short are failures like any other, and can be made good by another upstream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lambda_runtime import headers as header_rules
from lambda_runtime.answer import Answer
from lambda_runtime.client_request import Question
from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.errors import UpstreamError
from lambda_runtime.failures import FailedAttempt, judged, status_of_error
from lambda_runtime.headers import Headers
from lambda_runtime.json_scan import parse_object
from lambda_runtime.state.outcome import Outcome
from lambda_runtime.streams.event_stream import EventStream, StreamTranslator
from lambda_runtime.streams.readers import reader_for
from lambda_runtime.streams.sse import MAX_EVENT, EventTooLongError
from lambda_runtime.upstream_call import UpstreamCall
from lambda_runtime.usage import Usage, of_anthropic, of_openai

HOLD_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer that are held until it is complete. What is longer is passed on from there as it comes."""

END_TOKENS = 16
"""Output tokens that an answer without content may count and still be empty: those of its end."""

_UNAUTHORIZED = 401
GENERATIONS = frozenset({Operation.CHAT_COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES})
"""Operations whose answers may be streamed."""

_USAGE = b'"usage"'
_FIGURES = rb'"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})'
_END = 4096


def secure_stream(
    question: Question, asked: Operation, call: UpstreamCall, pieces: Iterator[bytes], *, choices: int, whole: bool
) -> Answer:
    """Read a stream until its first content, or, if it is delivered as a whole, until its end.

    Args:
        question: what was sent.
        asked: what the client asked for.
        call: the answer.
        pieces: its body.
        choices: how many answers the client asked for.
        whole: whether it is delivered as a whole.

    Raises:
        FailedAttempt: if the stream is empty, breaks or gives up before that.
        UpstreamError: if its connection fails.
    """
    candidate = question.candidate
    reader = reader_for(candidate.operation, choices)
    stream = EventStream(reader, _translator(question, asked), hide_usage=question.hide_usage)
    headers = _stream_headers(question, asked, call)
    held: list[bytes] = []
    try:
        if _held_until_content(stream, call, pieces, held, whole=whole):
            return Answer(candidate, call.status, headers, b"".join(held), call, stream)
    except EventTooLongError:
        raise UpstreamError("an event of the upstream's stream is longer than the gateway takes") from None
    except UpstreamError:
        held.append(stream.finish())
        if not reader.complete and reader.error is None:
            raise  # else nothing is missing but the end of the connection
    if reader.error is not None:
        return given_up(question, asked, call, reader.error)
    if not (reader.complete or reader.finished):
        raise UpstreamError("the upstream's stream ended before the answer was complete", code="upstream_stream_interrupted")
    usage = reader.usage(len(question.content))
    answer = Answer(candidate, call.status, headers, b"".join(held), call, stream, usage)
    if not reader.content and not reader.filtered and not _thought(usage):
        raise _empty(answer)
    return answer


def _held_until_content(
    stream: EventStream, call: UpstreamCall, pieces: Iterator[bytes], held: list[bytes], *, whole: bool
) -> bool:
    """Hold a stream's events. Says whether there is something for the client already, and more may come."""
    reader = stream.reader
    size = 0
    for piece in pieces:
        held.append(stream.feed(piece))
        size += len(held[-1])
        if reader.content:
            call.flowing()
            if not stream.over and (not whole or size > HOLD_LIMIT):
                return True
        elif size > HOLD_LIMIT:
            raise UpstreamError("the upstream's stream does not come to its content", code="upstream_empty_answer")
        if stream.over:
            return False
    held.append(stream.finish())
    return False


def secure_whole(question: Question, asked: Operation, call: UpstreamCall, pieces: Iterator[bytes]) -> Answer:
    """Read a body that is not a stream of events, check that it is an answer, and put it into the client's format.

    Args:
        question: what was sent.
        asked: what the client asked for.
        call: the answer.
        pieces: its body.

    Raises:
        FailedAttempt: if it is empty, or an error under a good status.
        UpstreamError: if it is no JSON, or its connection fails.
    """
    candidate = question.candidate
    headers = header_rules.to_client(call.headers)
    body, whole = _held(pieces, HOLD_LIMIT if candidate.operation is asked else MAX_EVENT)
    if not whole:
        if candidate.operation is not asked:
            raise UpstreamError("the upstream's answer is longer than the gateway can hold")
        return Answer(candidate, call.status, headers, body, call)
    if call.header("content-encoding") and any(name == "content-encoding" for name, _ in headers):
        return Answer(candidate, call.status, headers, body, call)  # in an encoding that only the client can read
    if candidate.operation not in GENERATIONS:
        if not body:
            raise UpstreamError("the upstream's answer is empty", code="upstream_empty_answer")
        return Answer(candidate, call.status, headers, body, call, usage=_figures_of(body))
    document = parse_object(body)
    if document is None:
        what = "is not JSON" if body.strip() else "is empty"
        raise UpstreamError(f"the upstream's answer {what}", code="upstream_invalid_answer")
    if document.get("error") and (candidate.operation is not Operation.RESPONSES or document.get("status") in (None, "failed")):
        return given_up(question, asked, call, document["error"])
    read_usage = of_anthropic if candidate.operation is Operation.MESSAGES else of_openai
    usage = read_usage(document.get("usage"))
    if candidate.operation is not asked:
        body = _translated(document, candidate.operation)
        headers = header_rules.of_translated(headers)
    answer = Answer(candidate, call.status, header_rules.of_document(headers), body, call, usage=usage)
    if _says_nothing(document, candidate.operation) and not _thought(usage):
        raise _empty(answer)
    return answer


def _held(pieces: Iterator[bytes], limit: int) -> tuple[bytes, bool]:
    """A body, and whether it is whole: if it is longer than the limit, no more of it is read."""
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > limit:
            return b"".join(parts), False
    return b"".join(parts), True


def _translator(question: Question, asked: Operation) -> StreamTranslator | None:
    if question.candidate.operation is asked:
        return None
    if asked is Operation.CHAT_COMPLETIONS:
        from lambda_runtime.translation.chat_stream import MessagesToChatStream  # noqa: PLC0415

        return MessagesToChatStream(include_usage=question.wants_usage)
    from lambda_runtime.translation.messages_stream import ChatToMessagesStream  # noqa: PLC0415

    return ChatToMessagesStream()


def _stream_headers(question: Question, asked: Operation, call: UpstreamCall) -> Headers:
    headers = header_rules.to_client(call.headers)
    if question.candidate.operation is not asked:
        headers = header_rules.of_translated(headers)
    return header_rules.of_stream(headers)


def given_up(question: Question, asked: Operation, call: UpstreamCall, error: Any) -> Answer:
    """An error under a good status, before the client has anything: as if it had come with the status that it means."""
    status = status_of_error(error)
    if status == _UNAUTHORIZED:  # as with the status itself: the client would take it for its own key's
        raise UpstreamError("the upstream refuses the gateway's key in an error event", code="upstream_credentials")
    call.close()
    answer = Answer(question.candidate, status, [("content-type", "application/json")], _error_body(error, asked))
    failure = judged(answer, UpstreamError("the upstream answered with an error event", code="upstream_error_event"), None)
    if failure is not None:
        raise failure
    return answer


def _error_body(error: Any, asked: Operation) -> bytes:
    """An error event's `error` as the body of an answer, in the client's format."""
    fields = error if isinstance(error, dict) else {"message": str(error)}
    message = str(fields.get("message") or "the upstream gave up")[:2000]
    kind = str(fields.get("type") or "api_error")
    if asked.wire_format is WireFormat.ANTHROPIC:
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    # Of another type they would be none of OpenAI's: an object of any size, or 1e999, which cannot be written.
    named = {name: value if isinstance(value := fields.get(name), str | int) else None for name in ("param", "code")}
    return json.dumps({"error": {"message": message, "type": kind, **named}}).encode()


def _empty(answer: Answer) -> FailedAttempt:
    """An answer without content. It may be meant so: the client gets it if nobody has a better one.

    And it may be frequent: models have nothing to say after some tool's result, and count their end token. So only one without
    any token speaks against the upstream.
    """
    error = UpstreamError("the upstream's answer is empty", code="upstream_empty_answer")
    usage = answer.usage
    ended = usage is not None and usage.output_tokens and not usage.estimated
    return FailedAttempt(error, Outcome.IGNORED if ended else Outcome.FAILURE, answer=answer._replace(call=None))


def _thought(usage: Usage | None) -> bool:
    """Whether an answer without content is one all the same: its tokens were spent on thoughts that are not shown."""
    if usage is None or usage.estimated:
        return False
    return usage.reasoning_tokens > 0 or usage.output_tokens > END_TOKENS


def _figures_of(body: bytes) -> Usage | None:
    """The usage of an answer that is not worth parsing: embeddings are megabytes of figures, and it is at one of their ends."""
    ends = (body[-_END:], body[:_END])
    found = next((found for end in ends if _USAGE in end and (found := re.search(_FIGURES, end))), None)
    try:
        return of_openai(json.loads(found[1])) or of_anthropic(json.loads(found[1])) if found else None
    except ValueError:
        return None


def _says_nothing(document: dict[str, Any], operation: Operation) -> bool:
    if operation is Operation.MESSAGES:
        return not document.get("content") and document.get("stop_reason") != "refusal"
    if operation is Operation.RESPONSES:
        return "output" in document and not document["output"] and document.get("status") == "completed"
    choices = document.get("choices")
    if not isinstance(choices, list):
        return not str(document.get("object", "")).startswith("response")
    return all(isinstance(choice, dict) and _silent(choice) for choice in choices)


def _silent(choice: dict[str, Any]) -> bool:
    message = choice.get("message")
    said = isinstance(message, dict) and any(value for name, value in message.items() if name not in {"role", "annotations"})
    return not said and choice.get("finish_reason") != "content_filter"


def _translated(document: dict[str, Any], operation: Operation) -> bytes:
    from lambda_runtime.translation import answers  # noqa: PLC0415

    translate = answers.messages_answer_to_chat if operation is Operation.MESSAGES else answers.chat_answer_to_messages
    return json.dumps(translate(document), separators=(",", ":"), allow_nan=False).encode()
