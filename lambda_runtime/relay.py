"""Relays one request to the upstream that serves its model, and the answer back as it comes.

The answer is committed with the first byte of its body: until then an attempt may fail without the client having seen anything
of it. Failover, repeats and the circuit breaker belong between `ModelMap.resolve` and `ResponseWriter.start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from lambda_runtime import headers as header_rules
from lambda_runtime import log
from lambda_runtime.attempt import Answer, Attempts, Question
from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.errors import CredentialError, GatewayError, StreamInterruptedError, UpstreamError, error_event
from lambda_runtime.exchange import Exchange
from lambda_runtime.invocation import ResponseWriter
from lambda_runtime.model_field import Body, read_body
from lambda_runtime.model_map import ModelMap
from lambda_runtime.request import body_bytes, body_text, query_string
from lambda_runtime.request_log import RequestLog
from lambda_runtime.stream_end import StreamEnd
from lambda_runtime.upstream_call import url_of

_OK = range(200, 300)
_ERROR = 400


class Relay:
    """Relays requests.

    Args:
        models: resolves model names.
        attempts: asks upstreams.
        timeouts: how long to wait.
    """

    def __init__(self, models: ModelMap, attempts: Attempts, timeouts: Timeouts) -> None:
        self._models = models
        self._attempts = attempts
        self._timeouts = timeouts

    def answer(self, exchange: Exchange, operation: Operation) -> None:
        """Answer one request.

        Args:
            exchange: the request.
            operation: what is asked for.

        Raises:
            GatewayError: if nothing was answered yet; the caller answers with it.
            ClientGoneError: if the client is gone.
        """
        record = exchange.record
        question, body = self._question(exchange.event, operation, record)
        try:
            answer = self._attempts.ask(question, exchange.invocation)
        except CredentialError:
            raise  # whoever raised it has logged more than could be said here
        except GatewayError as error:
            _warn(error, record)
            raise
        call = answer.call
        try:
            record.status = call.status
            if call.status >= _ERROR:
                record.fail(f"upstream_status_{call.status}")
            record.saw_first_byte()
            exchange.response.start(call.status, header_rules.to_client(call.headers) + exchange.own_headers)
            if call.status in _OK and _is_event_stream(answer):
                _relay_events(answer, StreamEnd(operation, several=body.several), operation, exchange.response, record)
            else:
                _relay_bytes(answer, exchange.response, record)
        finally:
            call.close()

    def _question(self, event: Mapping[str, Any], operation: Operation, record: RequestLog) -> tuple[Question, Body]:
        text = body_text(event)
        body = read_body(text)
        record.model = body.model
        record.streamed = body.stream
        served = self._models.resolve(body.model, operation)
        record.upstream, record.served_model = served.upstream.name, served.model
        content = body_bytes(body.with_model(served.model))
        record.bytes_in = len(content)
        question = Question(
            served=served,
            url=url_of(served.endpoint.base_url + operation.value, query_string(event)),
            headers=header_rules.to_upstream(event),
            content=content,
            first_byte=self._timeouts.first_byte if body.stream else self._timeouts.unstreamed,
        )
        return question, body


def _relay_bytes(answer: Answer, response: ResponseWriter, record: RequestLog) -> None:
    """Pass a body on that has no events: if it breaks, nothing can be said in it, so that it ends as a failure."""
    try:
        for chunk in chain((answer.head,), answer.call):
            response.write(chunk)
            record.bytes_out += len(chunk)
    except GatewayError as error:
        _broke(error, response, record)
        return
    response.end()


def _relay_events(answer: Answer, end: StreamEnd, operation: Operation, response: ResponseWriter, record: RequestLog) -> None:
    """Pass a stream of events on, and see to it that it ends as its format says, or with an error event."""
    broken: GatewayError | None = None
    write, feed = response.write, end.feed
    try:
        for chunk in chain((answer.head,), answer.call):
            write(chunk)
            record.bytes_out += len(chunk)
            feed(chunk)
            if end.complete:  # some upstreams keep the connection open, and every second of it is billed
                answer.call.wind_up()
    except GatewayError as error:
        broken = error
    if end.failed:
        record.fail("upstream_error_event", broken=True)
    if end.complete or end.failed:
        response.end()  # the client has a whole answer, or an error already; what came after it is of no interest
        return
    if end.lacks_only_done:
        _write(response, record, end.separator() + b"data: [DONE]\n\n")
        response.end()
        return
    if broken is None:
        broken = StreamInterruptedError("the upstream's stream ended before the answer was complete")
    elif isinstance(broken, UpstreamError):
        interruption = StreamInterruptedError(broken.message)
        interruption.__cause__ = broken.__cause__
        broken = interruption
    _write(response, record, end.separator() + error_event(broken, operation, record.request_id))
    _broke(broken, response, record)


def _write(response: ResponseWriter, record: RequestLog, data: bytes) -> None:
    response.write(data)
    record.bytes_out += len(data)


def _broke(error: GatewayError, response: ResponseWriter, record: RequestLog) -> None:
    record.fail(error.code, broken=True)
    _warn(error, record)
    response.fail(type(error).__name__, error.message)


def _is_event_stream(answer: Answer) -> bool:
    # Some relays stream under another content type, or where none was asked for. Nothing else begins like an event.
    return answer.call.header("content-type").lower().startswith("text/event-stream") or answer.head[:64].lstrip().startswith(
        (b"data:", b"event:", b":")
    )


def _warn(error: GatewayError, record: RequestLog) -> None:
    cause = error.__cause__  # httpx's texts name hosts and system errors, and nothing of what was sent
    reason = "" if cause is None else f"{type(cause).__name__}: {log.bounded(str(cause))}"
    log.warning(error.message, upstream=record.upstream, request_id=record.request_id, cause=reason)
