"""Relays one request: reads it, has it answered by one of the upstreams that may, and delivers the answer as it comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lambda_runtime import log
from lambda_runtime.answer import Answer
from lambda_runtime.attempt import Terms
from lambda_runtime.client_request import ClientRequest
from lambda_runtime.config import GatewayConfig, Operation
from lambda_runtime.delivery import Delivery
from lambda_runtime.errors import GatewayError, StreamInterruptedError, UpstreamError, of_status
from lambda_runtime.exchange import Exchange
from lambda_runtime.failover import ExhaustedError, Failover
from lambda_runtime.failures import FailedAttempt
from lambda_runtime.headers import Headers, client_header
from lambda_runtime.invocation import ClientGoneError
from lambda_runtime.json_scan import parse_object
from lambda_runtime.request import body_text
from lambda_runtime.request_body import Body, read_body
from lambda_runtime.request_log import RequestLog
from lambda_runtime.router import Routed, Router
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import TargetStates
from lambda_runtime.streams.event_stream import EventStream
from lambda_runtime.streams.sse import EventTooLongError

if TYPE_CHECKING:
    from lambda_runtime.admission import Admission
    from lambda_runtime.config.limits import ConsumerLimits
    from lambda_runtime.hooks import HookRequest, Hooks

_ERROR = 400
_DELIVERY_HEADER = "x-ai-gateway-delivery"


class Relay:
    """Relays requests.

    Args:
        config: the gateway's.
        router: resolves model names.
        failover: asks upstreams.
        states: which of them are well.
        hooks: the user's own functions. None: there are none.
        admission: looks at consumers' limits. None: nobody has any.
    """

    def __init__(  # noqa: PLR0917
        self,
        config: GatewayConfig,
        router: Router,
        failover: Failover,
        states: TargetStates,
        hooks: Hooks | None,
        admission: Admission | None,
    ) -> None:
        self._config = config
        self._router = router
        self._failover = failover
        self._states = states
        self._hooks = hooks
        self._admission = admission

    def answer(self, exchange: Exchange, operation: Operation) -> None:
        """Answer one request.

        Args:
            exchange: the request.
            operation: what is asked for.

        Raises:
            GatewayError: if nothing was answered yet; the caller answers with it.
            ClientGoneError: if the client is gone.
        """
        if self._admission is None:
            self._states.refresh()
        event, record = exchange.event, exchange.record
        body = read_body(body_text(event))
        record.model, record.streamed = body.model, body.stream
        hooked: HookRequest | None = None
        if self._hooks:
            hooked = record.hooked = self._hooks.request(event, operation, body.model, body.text)
            self._hooks.before(hooked)
            body = body._replace(model=hooked.model)
        routed = self._routed(exchange, operation, body)
        request = ClientRequest(event, operation, body, hooked.upstream_headers if hooked else None)
        timeouts = self._config.timeouts
        ends = time.time() + exchange.invocation.remaining()
        if timeouts.total is not None:
            ends = min(ends, time.time() + timeouts.total)
        delivery = Delivery(exchange, operation, streamed=body.stream, heartbeat_after=timeouts.heartbeat)
        whole = body.stream and (
            routed.whole or (self._config.client_delivery and client_header(event, _DELIVERY_HEADER).lower() == "whole")
        )
        terms = Terms(operation, record.request_id, body.choices, body.stream, whole, ends, delivery)
        try:
            self._serve(request, routed, terms, delivery, record)
        except (GatewayError, ClientGoneError):
            raise
        except Exception:
            # A defect of ours. The client must not take what it has for the whole.
            delivery.break_off(GatewayError("the gateway failed on this request"))
            raise

    def _routed(self, exchange: Exchange, operation: Operation, body: Body) -> Routed:
        """Who may serve the model, if the consumer may have it. A hook's model is as good as the client's."""
        limits: ConsumerLimits | None = None
        if self._admission is not None:
            limits = self._admission.admit(exchange, operation, body)
            # Only now: a second connection to the table would cost the request more than a state that is read a little later.
            self._states.refresh()
        routed = self._router.route(body.model, operation, limits.allows if limits else None)
        if body.naming and not self._config.serve_unmapped_models:
            from lambda_runtime.other_models import require_mapped  # noqa: PLC0415  a start does not pay for it

            require_mapped(self._config, body)
        if limits is not None and self._admission is not None:
            self._admission.require_prices(exchange, operation, body, routed, limits)
        return routed

    def _serve(self, request: ClientRequest, routed: Routed, terms: Terms, delivery: Delivery, record: RequestLog) -> None:
        try:
            answer, probe = self._failover.ask(request, routed, terms, record)
        except ExhaustedError as exhausted:
            _exhausted(exhausted.failure, delivery, record)
            return
        except GatewayError as error:
            if not delivery.begun:
                raise
            delivery.fail(error, event=True)
            return
        record.usage = answer.usage
        try:
            outcome = _deliver(answer, delivery, record)
        except BaseException:  # the client is gone, or the fault is ours
            record.attempts.append(Attempted(answer.candidate.target, Outcome.IGNORED, probe=probe))
            raise
        finally:
            if answer.stream is not None:
                record.usage = answer.stream.reader.usage(record.bytes_in)
                record.malformed = answer.stream.reader.malformed
                if answer.stream.over and answer.call is not None:
                    answer.call.drain()
            answer.close()
        record.attempts.append(Attempted(answer.candidate.target, outcome, probe=probe))


def _deliver(answer: Answer, delivery: Delivery, record: RequestLog) -> Outcome:
    """Deliver an answer, and say how the upstream has done."""
    if answer.status >= _ERROR:
        record.fail(f"upstream_status_{answer.status}")
    if delivery.begun and answer.stream is None:
        return _too_late(answer, delivery, record)
    record.saw_first_byte()
    delivery.start(answer.status, answer.headers, events=answer.stream is not None)
    if answer.head:
        delivery.write(answer.head)
    if answer.stream is not None:
        return _deliver_events(answer, answer.stream, delivery, record)
    try:
        for piece in answer.call or ():
            delivery.write(piece)
    except GatewayError as error:
        _log(error, record)
        delivery.fail(error, event=False)
        return Outcome.FAILURE
    delivery.end()
    return Outcome.SUCCESS if answer.status < _ERROR else Outcome.IGNORED


def _deliver_events(answer: Answer, stream: EventStream, delivery: Delivery, record: RequestLog) -> Outcome:
    """Pass a stream of events on, and see to it that it ends as its format says, or with an error event."""
    call, feed, write = answer.call, stream.feed, delivery.write
    broken: GatewayError | None = None
    try:
        if call is not None and not stream.over:
            for piece in call:
                data = feed(piece)
                if data:
                    write(data)
                if stream.over:
                    break
    except EventTooLongError:
        broken = StreamInterruptedError("an event of the upstream's stream is longer than the gateway takes")
    except GatewayError as error:
        broken = error
    return _ended(stream, delivery, record, broken)


def _ended(stream: EventStream, delivery: Delivery, record: RequestLog, broken: GatewayError | None) -> Outcome:
    reader = stream.reader
    rest = stream.finish()
    if rest:
        delivery.write(rest)
    if reader.error is not None:
        record.fail("upstream_error_event", broken=True)
        if stream.untold:
            delivery.fail(StreamInterruptedError(_words_of(reader.error)), event=True)
        else:
            delivery.end()  # the client has the upstream's own words
        return Outcome.FAILURE
    if reader.complete:
        delivery.end()
        return Outcome.SUCCESS
    if broken is None:
        broken = StreamInterruptedError("the upstream's stream ended before the answer was complete")
    elif isinstance(broken, UpstreamError):
        interruption = StreamInterruptedError(broken.message)
        interruption.__cause__ = broken.__cause__
        broken = interruption
    _log(broken, record)
    delivery.fail(broken, event=True)
    return Outcome.FAILURE if isinstance(broken, UpstreamError) else Outcome.IGNORED


def _exhausted(failure: FailedAttempt, delivery: Delivery, record: RequestLog) -> None:
    """Nobody is left to ask: the client gets the last upstream's own words, else ours, and is told not to repeat it.

    Each attempt of an SDK would be three of ours again.
    """
    answer = failure.answer
    if answer is None:
        error = failure.error
        error.retry_helps = False  # type: ignore[misc]  # of this error
        if not delivery.begun:
            raise error
        delivery.fail(error, event=True)
        return
    record.upstream, record.served_model, record.usage = answer.candidate.upstream.name, answer.candidate.model, answer.usage
    try:
        if answer.status < _ERROR or failure.outcome is Outcome.IGNORED:
            _deliver(answer, delivery, record)
        else:
            _deliver(answer._replace(headers=_without_retries(answer.headers)), delivery, record)
    finally:
        answer.close()


def _too_late(answer: Answer, delivery: Delivery, record: RequestLog) -> Outcome:
    """Heartbeats have promised a stream, and the answer is none."""
    error: GatewayError
    if answer.status < _ERROR:
        error = StreamInterruptedError("the upstream answered without a stream, which was asked for")
    else:
        words = _words_of_body(answer.head)
        wait = dict(answer.headers).get("retry-after")
        if wait:  # no header can say so any more
            words += f" (retry after {wait} seconds)" if wait.isdecimal() else f" (retry after {wait})"
        error = of_status(answer.status, words, f"upstream_status_{answer.status}")
    # Not in the upstream's own words: they may quote the request.
    _log(error, record, f"the upstream answered with status {answer.status} to a stream that had begun with heartbeats")
    delivery.fail(error, event=True)
    return Outcome.SUCCESS if answer.status < _ERROR else Outcome.IGNORED


def _without_retries(headers: Headers) -> Headers:
    return [*(header for header in headers if header[0] != "x-should-retry"), ("x-should-retry", "false")]


def _words_of(error: Any) -> str:
    """What an upstream's error says."""
    while isinstance(error, dict):
        error = error.get("message") or error.get("error") or "the upstream gave up"
    return str(error)[:2000]


def _words_of_body(body: bytes) -> str:
    document = parse_object(body)
    return _words_of(body.decode(errors="replace") if document is None else document)


def _log(error: GatewayError, record: RequestLog, message: str = "") -> None:
    log.warning(message or error.message, upstream=record.upstream, request_id=record.request_id, cause=log.cause_of(error))
