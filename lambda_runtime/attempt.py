"""One attempt at one upstream, up to the first bytes of its answer's body; with the second try that a refused key gets."""

from __future__ import annotations

from typing import NamedTuple

import httpx

from lambda_runtime import log
from lambda_runtime.config import AuthStyle, Timeouts
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import CredentialError, UpstreamError
from lambda_runtime.invocation import Invocation
from lambda_runtime.model_map import Served
from lambda_runtime.secret_value import put_command
from lambda_runtime.upstream_call import Patience, UpstreamCall, post_request

_UNAUTHORIZED = 401
_FORBIDDEN = 403
_BAD_REQUEST = 400
_REDIRECT = range(300, 400)

MAX_ERROR_BODY = 65_536
"""Bytes of an error's body that are looked at before it is passed on. Errors are small; what is longer is passed on unseen."""

_MIN_SECRET = 8
"""Characters of the shortest key that is hidden in errors. Shorter ones are no secrets but the fillers that local servers are
given (`x`, `none`, `EMPTY`), and would be found in every other word of an error."""

# Gemini's OpenAI-compatible endpoint refuses a key with a 400 and these words.
_KEY_REFUSED_400 = (b"API_KEY_INVALID", b"API key not valid", b"API key expired")
_ABOUT_THE_KEY = (b"api key", b"api-key", b"api_key", b"apikey", b"authenticat", b"credential", b"access token")


class Question(NamedTuple):
    """What is sent: all of it but the key.

    Args:
        served: where to.
        url: the URL, with its query.
        headers: the allowed headers of the client's.
        content: the body.
        first_byte: seconds until the first byte of the answer.
    """

    served: Served
    url: httpx.URL
    headers: list[tuple[bytes, bytes]]
    content: bytes
    first_byte: float


class Answer(NamedTuple):
    """An upstream's answer that may be passed on.

    Args:
        call: the rest of the answer.
        head: the first bytes of its body, empty if it has none.
    """

    call: UpstreamCall
    head: bytes


def auth_headers(auth: AuthStyle, key: str) -> list[tuple[bytes, bytes]]:
    """The headers that carry a key."""
    if auth is AuthStyle.NONE:
        return []
    value = f"Bearer {key}" if auth is AuthStyle.BEARER else key
    return [(auth.value.encode(), value.encode())]


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

    def ask(self, question: Question, invocation: Invocation) -> Answer:
        """Ask an upstream, and wait for the first bytes of its answer.

        Raises:
            CredentialError: if there is no key or the upstream refuses it, also after it was fetched again.
            UpstreamError: if no answer comes that can be passed on. `UpstreamTimeoutError` if none comes in time.
            DeadlineError: if our own time is up.
        """
        served = question.served
        keyed = served.endpoint.auth is not AuthStyle.NONE
        key = self._credentials.key(served.upstream) if keyed else ""
        answer = self._send(question, key, invocation)
        if _refused(answer):
            if keyed and self._credentials.refresh(served.upstream, key):
                answer.call.close()
                key = self._credentials.key(served.upstream)
                answer = self._send(question, key, invocation)
            if _refused(answer):
                self._still_refused(answer, served, key)
        if answer.call.status in _REDIRECT:
            answer.call.close()
            log.error(
                f"the upstream {served.upstream.name!r} answered with a redirect (status {answer.call.status}), which is not "
                "followed because it would take the key elsewhere; set its base_url to where it really is, "
                f"not {served.endpoint.base_url}",
                upstream=served.upstream.name,
            )
            raise UpstreamError(
                "the upstream answered with a redirect, which the gateway does not follow", code="upstream_redirect"
            )
        if len(key) >= _MIN_SECRET and answer.call.status >= _BAD_REQUEST:
            # An upstream that quotes the key it was sent must not hand it to the client.
            return Answer(answer.call, answer.head.replace(key.encode(), b"[redacted]"))
        return answer

    def _send(self, question: Question, key: str, invocation: Invocation) -> Answer:
        patience = Patience(self._timeouts, invocation, question.first_byte)
        headers = question.headers + auth_headers(question.served.endpoint.auth, key)
        request = post_request(question.url, headers, question.content, patience)
        call = UpstreamCall(self._transport, request, patience)
        try:
            return Answer(call, call.read_up_to(MAX_ERROR_BODY if call.status >= _BAD_REQUEST else 1))
        except BaseException:
            call.close()
            raise

    def _still_refused(self, answer: Answer, served: Served, key: str) -> None:
        """Log what to do about a refusal, and pass on only one that is about the request.

        A 401 is never passed on: the client would take it for its own gateway key's, and providers quote a part of the key
        that they refuse. A 403 may be either: a key that lost its rights, or a model, a region or a content that this account
        may not use, about which only the provider's own words help the client. So it passes if it does not speak of the key.
        """
        status, name = answer.call.status, served.upstream.name
        if key:
            advice = f"set a valid key: {put_command(self._credentials.secret_id(served.upstream))}"
        else:
            advice = "it is configured without a key (auth none); give it an auth style and a secret"
        if status == _FORBIDDEN and not _speaks_of_the_key(answer.head, key):
            log.warning(
                f"the upstream {name!r} answered with status 403, also to a key fetched anew; if it is not about the model or "
                f"the request, {advice}",
                upstream=name,
            )
            return
        answer.call.close()
        log.error(
            f"the upstream {name!r} refuses the gateway's key (status {status}), also when fetched again; {advice}",
            upstream=name,
        )
        raise CredentialError(
            f"the upstream {name!r} refuses the gateway's key; its operator finds what to do in the gateway's log"
        )


def _refused(answer: Answer) -> bool:
    status = answer.call.status
    return status in {_UNAUTHORIZED, _FORBIDDEN} or (
        status == _BAD_REQUEST and any(words in answer.head for words in _KEY_REFUSED_400)
    )


def _speaks_of_the_key(body: bytes, key: str) -> bool:
    fragments = (key[:6].encode(), key[-4:].encode()) if len(key) >= _MIN_SECRET else ()
    lowered = body.lower()
    return any(words in lowered for words in _ABOUT_THE_KEY) or any(fragment in body for fragment in fragments)
