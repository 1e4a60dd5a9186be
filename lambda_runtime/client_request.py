"""A client's request, ready to be put to any of the upstreams that may serve it, in that upstream's format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from lambda_runtime import headers as header_rules
from lambda_runtime.config import Operation, Timeouts, WireFormat
from lambda_runtime.errors import RequestError
from lambda_runtime.request import body_bytes, query_string
from lambda_runtime.request_body import Body, as_json
from lambda_runtime.router import Candidate, Routed
from lambda_runtime.upstream_call import url_of

_REASONING_FAMILIES = ("o1", "o3", "o4", "gpt-5", "codex", "r1")
_REASONING_WORDS = ("think", "reason", "-r1")
_ANTHROPIC_VERSION = (b"anthropic-version", b"2023-06-01")


class Question(NamedTuple):
    """What is sent to one upstream: all of it but the key.

    Args:
        candidate: who is asked.
        url: the URL, with its query.
        headers: the headers, but for the key's.
        content: the body.
        wants_usage: whether the client asked for a stream's figures.
        hide_usage: whether a stream's figures come because the gateway asked for them.
        dropped: fields of the request that the upstream's format cannot express, and that the answer does not need.
    """

    candidate: Candidate
    url: httpx.URL
    headers: list[tuple[bytes, bytes]]
    content: bytes
    wants_usage: bool = False
    hide_usage: bool = False
    dropped: tuple[str, ...] = ()


class ClientRequest:
    """A request.

    Args:
        event: API Gateway's event.
        operation: what the client asks for.
        body: the body.
        headers: further headers for upstreams, which hooks have set. Default: none.
    """

    def __init__(
        self, event: Mapping[str, Any], operation: Operation, body: Body, headers: Mapping[str, str] | None = None
    ) -> None:
        self.operation = operation
        self.body = body
        self._event = event
        self._headers = header_rules.to_upstream(event)
        if headers:
            own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            replaced = {name for name, _ in own}
            self._headers = [header for header in self._headers if header[0] not in replaced] + own

    def question(self, candidate: Candidate) -> Question:
        """The request as one upstream gets it.

        Raises:
            RequestError: if it cannot be expressed in that upstream's format, or cannot be sent at all.
        """
        try:
            return self._question(candidate)
        except RecursionError:
            # It could be read, but to write it anew takes more of the stack. The fault is the client's, and none of ours.
            raise RequestError("the body is not valid JSON: it is nested too deeply", code="invalid_json") from None

    def _question(self, candidate: Candidate) -> Question:
        base = candidate.endpoint.base_url + candidate.operation.value
        if candidate.operation is not self.operation:
            return self._translated(candidate, url_of(base, ""))
        body = self.body
        ask = self.operation is Operation.CHAT_COMPLETIONS and body.stream and candidate.upstream.stream_usage
        content = body_bytes(body.rewritten(candidate.model, include_usage=ask))
        hide = ask and not body.wants_usage
        url = url_of(base, query_string(self._event))
        return Question(candidate, url, self._headers, content, wants_usage=body.wants_usage, hide_usage=hide)

    def first_limit(self, candidate: Candidate, routed: Routed, timeouts: Timeouts) -> float:
        """Seconds that an upstream may take: to a stream's first content, or to the end of another answer."""
        if not self.body.stream:
            return timeouts.unstreamed
        if routed.first_content is not None:
            return routed.first_content
        if self.body.reasoning or _reasons(candidate.model):
            return timeouts.first_content_reasoning
        return timeouts.first_content

    def _translated(self, candidate: Candidate, url: httpx.URL) -> Question:
        document = json.loads(self.body.text)
        if candidate.operation is Operation.MESSAGES:
            from lambda_runtime.translation.chat_request import chat_request_to_messages  # noqa: PLC0415

            translated = chat_request_to_messages(document, model=candidate.model)
        else:
            from lambda_runtime.translation.messages_request import messages_request_to_chat  # noqa: PLC0415

            translated = messages_request_to_chat(document, model=candidate.model)
        if not candidate.upstream.stream_usage:
            translated.body.pop("stream_options", None)
        to_anthropic = candidate.operation.wire_format is WireFormat.ANTHROPIC
        headers = [header for header in self._headers if not header[0].startswith((b"anthropic-", b"openai-"))]
        if to_anthropic:
            headers.append(_ANTHROPIC_VERSION)
        content = body_bytes(as_json(translated.body, short=True))
        return Question(candidate, url, headers, content, wants_usage=self.body.wants_usage, dropped=translated.dropped)


def _reasons(model: str) -> bool:
    """Whether a model's name says that it thinks before it speaks."""
    name = model.rpartition("/")[2].lower()
    return name.startswith(_REASONING_FAMILIES) or any(word in name for word in _REASONING_WORDS)
