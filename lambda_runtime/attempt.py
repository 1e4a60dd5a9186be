"""One attempt at one upstream, up to an answer of which the client can be given something; a refused key gets a second try.

Whatever goes wrong until then is a `FailedAttempt`, and the client hears nothing of it if another attempt succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

import httpx

from lambda_runtime import headers as header_rules
from lambda_runtime import log
from lambda_runtime.answer import Answer
from lambda_runtime.client_request import Question
from lambda_runtime.config import AuthStyle, Operation, Timeouts
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import CredentialError, UpstreamError, UpstreamTimeoutError
from lambda_runtime.failures import FailedAttempt, judged, retry_after_of
from lambda_runtime.json_scan import parse_object
from lambda_runtime.key_refusal import mentions, raise_if_about_the_key, redacted, refused, with_key
from lambda_runtime.patience import Patience, Silence
from lambda_runtime.router import Candidate
from lambda_runtime.secure_answer import GENERATIONS, secure_stream, secure_whole
from lambda_runtime.state.outcome import Outcome
from lambda_runtime.upstream_call import UpstreamCall, post_request

_BEGINNING = 16  # bytes by which a stream of events is known that does not call itself so; content is longer
_OK = range(200, 300)
_REDIRECT = range(300, 400)
_ERROR = 400

_ODD = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What is raised when an answer is put into another shape that has not the shape it should have, or is nested too deeply."""

MAX_ERROR_BODY = 65_536
"""Bytes of an error's body that are looked at before it is passed on. Errors are small; what is longer is passed on unseen."""


class Terms(NamedTuple):
    """On which terms a request's upstreams are asked.

    Args:
        operation: what the client asked for.
        request_id: for errors in the client's format.
        choices: how many answers it asked for.
        streamed: whether it asked for a stream.
        whole: whether a stream is held until it is complete.
        ends: when the request must be over, as `time.time()`.
        silence: towards the client.
    """

    operation: Operation
    request_id: str
    choices: int
    streamed: bool
    whole: bool
    ends: float
    silence: Silence


class Attempts:
    """Asks upstreams.

    Args:
        transport: sends requests.
        credentials: the upstreams' keys.
        timeouts: how long to wait.
    """

    def __init__(self, transport: httpx.BaseTransport, credentials: Credentials, timeouts: Timeouts) -> None:
        self._transport = transport
        self._credentials = credentials
        self._timeouts = timeouts

    def ask(self, question: Question, terms: Terms, first: float, admitted: Callable[[], None]) -> Answer:
        """Ask an upstream, and wait for what the client can be given.

        Args:
            question: what is sent.
            terms: on which terms.
            first: seconds until the first content, or until the end of an answer that is not streamed.
            admitted: called when the connection stands, before anything is sent; what it raises passes through.

        Raises:
            FailedAttempt: if no answer comes that can be passed on, or only one that others may better.
            DeadlineError: if our own time is up.
        """
        patience = Patience(self._timeouts, terms.ends, first, terms.silence, admitted)
        try:
            call, head, key = self._send_with_key(question, patience)
            try:
                return self._secured(question, terms, call, head, key)
            except BaseException as error:
                if not (isinstance(error, FailedAttempt) and error.answer is not None and error.answer.call is not None):
                    call.close()
                raise
        except CredentialError as error:
            raise FailedAttempt(error, Outcome.KEY_REFUSED) from error
        except UpstreamError as error:
            raise _failed(error, patience) from error

    def _send_with_key(self, question: Question, patience: Patience) -> tuple[UpstreamCall, bytes, str]:
        candidate = question.candidate
        keyed = candidate.endpoint.auth is not AuthStyle.NONE
        key = self._credentials.key(candidate.upstream) if keyed else ""
        call, head = self._send(question, key, patience)
        if refused(call.status, head):
            if keyed and self._credentials.refresh(candidate.upstream, key, call.status):
                call.close()
                key = self._credentials.key(candidate.upstream)
                call, head = self._send(question, key, patience)
            if refused(call.status, head):
                try:
                    raise_if_about_the_key(
                        call.status, head, candidate.upstream.name, key, self._credentials.mend(candidate.upstream)
                    )
                except CredentialError:
                    call.close()
                    raise
        return call, head, key

    def _send(self, question: Question, key: str, patience: Patience) -> tuple[UpstreamCall, bytes]:
        headers = with_key(question.headers, question.candidate.endpoint.auth, key)
        call = UpstreamCall(self._transport, post_request(question.url, headers, question.content, patience), patience)
        try:
            return call, call.read_up_to(MAX_ERROR_BODY if call.status >= _ERROR else _BEGINNING)
        except BaseException:
            call.close()
            raise

    def _secured(self, question: Question, terms: Terms, call: UpstreamCall, head: bytes, key: str) -> Answer:
        candidate = question.candidate
        status = call.status
        if status in _REDIRECT:
            raise _redirected(candidate, status)
        if status >= _ERROR:
            return _passed_on(question, terms, call, head, key)
        pieces: Iterator[bytes] = chain((head,), call)
        try:
            answer = _secured_as_asked(question, terms, call, pieces, streamed=status in _OK and _is_event_stream(call, head))
        except FailedAttempt as failed:
            if failed.answer is not None:
                failed.answer = _without_key(failed.answer, key, body=True)
            raise
        except _ODD as error:
            # JSON, but no answer of its format's: another upstream may have one.
            log.unexpected(error, upstream=candidate.upstream.name)
            raise UpstreamError("the upstream's answer is not of its format's shape", code="upstream_invalid_answer") from None
        return _without_key(answer, key, body=answer.status >= _ERROR)


def _without_key(answer: Answer, key: str, *, body: bool) -> Answer:
    """An answer without the key that an upstream may quote: in the headers of any, in the body of an error."""
    if any(mentions(value, key) for _, value in answer.headers):
        answer = answer._replace(headers=[header for header in answer.headers if not mentions(header[1], key)])
    return answer._replace(head=redacted(answer.head, key)) if body else answer


def _secured_as_asked(
    question: Question, terms: Terms, call: UpstreamCall, pieces: Iterator[bytes], *, streamed: bool
) -> Answer:
    asked, choices = terms.operation, terms.choices
    if streamed is terms.streamed or asked not in GENERATIONS:
        if streamed:
            return secure_stream(question, asked, call, pieces, choices=choices, whole=terms.whole)
        return secure_whole(question, asked, call, pieces)
    from lambda_runtime import secure_other  # noqa: PLC0415  for upstreams that do not do as they are told

    if streamed:
        return secure_other.secure_streamed(question, asked, call, pieces, choices=choices)
    return secure_other.secure_unstreamed(question, asked, call, pieces, choices=choices, whole=terms.whole)


def _passed_on(question: Question, terms: Terms, call: UpstreamCall, head: bytes, key: str) -> Answer:
    """An answer with an error status, in the client's words: the client's own fault, or the last resort."""
    candidate = question.candidate
    headers = header_rules.to_client(call.headers)
    retry_after = retry_after_of(call.header)
    rest = call if len(head) >= MAX_ERROR_BODY else None
    head = redacted(head, key)
    if candidate.operation is not terms.operation or (rest is None and parse_object(head) is None):
        # In the other format, or the page of a proxy on the way.
        from lambda_runtime.translation.errors import translate_error  # noqa: PLC0415

        head = translate_error(call.status, head, to=terms.operation.wire_format, request_id=terms.request_id)
        headers = header_rules.of_translated(headers)
        rest = None
    if rest is None:
        call.close()  # read to its end, the connection is free for the next attempt
    answer = _without_key(Answer(candidate, call.status, headers, head, rest), key, body=False)
    failure = judged(answer, UpstreamError("", code=f"upstream_status_{call.status}"), retry_after)
    if failure is None:
        return answer
    raise failure


def _failed(error: UpstreamError, patience: Patience) -> FailedAttempt:
    """What a failure without an answer means."""
    silent = isinstance(error, UpstreamTimeoutError)
    return FailedAttempt(
        error,
        Outcome.FAILURE,
        # Refused at once: perhaps a server that is being replaced. A silent upstream is never asked twice.
        repeatable=error.code == "upstream_unreachable",
        billed=silent and patience.sent,
    )


def _redirected(candidate: Candidate, status: int) -> UpstreamError:
    log.error(
        f"the upstream {candidate.upstream.name!r} answered with a redirect (status {status}), which is not "
        "followed because it would take the key elsewhere; set its base_url to where it really is, "
        f"not {candidate.endpoint.base_url}",
        upstream=candidate.upstream.name,
    )
    return UpstreamError("the upstream answered with a redirect, which the gateway does not follow", code="upstream_redirect")


def _is_event_stream(call: UpstreamCall, head: bytes) -> bool:
    # Some relays stream under another content type, or where none was asked for. Nothing else begins like an event, and no
    # event begins like a document.
    begin = head[:64].lstrip(b"\xef\xbb\xbf \r\n")
    if begin.startswith(b"{"):
        return False
    return begin.startswith((b"data:", b"event:", b"id:", b"retry:", b":")) or call.header("content-type").lower().startswith(
        "text/event-stream"
    )
