"""One request and its answer, as the parts of the gateway hand it to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_runtime.headers import Headers
from lambda_runtime.invocation import Invocation, ResponseWriter
from lambda_runtime.request_log import RequestLog


class Exchange(NamedTuple):
    """A request that is being answered.

    Args:
        event: API Gateway's event.
        invocation: knows the deadline.
        response: takes the answer.
        record: is told what happened.
        own_headers: headers of ours that every answer carries; more may be added until it begins.
    """

    event: Mapping[str, Any]
    invocation: Invocation
    response: ResponseWriter
    record: RequestLog
    own_headers: Headers

    def own_answer(self, status: int, body: bytes, headers: Headers) -> None:
        """Answer with JSON of our own.

        Args:
            status: HTTP status.
            body: the JSON. Not sent for HEAD.
            headers: further headers.
        """
        self.record.status = status
        # The SDKs show the request id from the header of their own provider's name.
        ids = [("x-request-id", self.record.request_id), ("request-id", self.record.request_id)]
        self.response.start(status, [("content-type", "application/json"), *ids, *headers, *self.own_headers])
        if self.event.get("httpMethod") != "HEAD":
            self.response.write(body)
            self.record.bytes_out = len(body)
        self.response.end()
