"""The gateway: answers one event after the other with the parts that were built once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from lambda_runtime import headers as header_rules
from lambda_runtime import log
from lambda_runtime.attempt import Attempts
from lambda_runtime.config import GatewayConfig
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import GatewayError, error_body
from lambda_runtime.exchange import Exchange
from lambda_runtime.invocation import ClientGoneError, Invocation, ResponseWriter
from lambda_runtime.model_map import ModelMap
from lambda_runtime.models_list import ModelsList
from lambda_runtime.relay import Relay
from lambda_runtime.request_log import RequestLog
from lambda_runtime.routes import Listing, route_of, wire_format_of

_CLIENT_GONE = 499


class Gateway:
    """Answers events. Its `handle` is a `lambda_runtime.invocation.Handler`.

    Args:
        config: what it is to do.
        transport: sends requests to upstreams.
        credentials: the upstreams' keys.
        environ: the function's environment variables.
    """

    def __init__(
        self, config: GatewayConfig, *, transport: httpx.BaseTransport, credentials: Credentials, environ: Mapping[str, str]
    ) -> None:
        self._environ = environ
        self._cors = header_rules.Cors(config.cors_allow_origins)
        self._models_list = ModelsList(config, transport, credentials)
        models = ModelMap(config, self._models_list.cached_names)
        self._relay = Relay(models, Attempts(transport, credentials, config.timeouts), config.timeouts)

    def handle(self, event: dict[str, Any], invocation: Invocation, response: ResponseWriter) -> None:
        """Answer one event, and leave one line in the log.

        Raises:
            ClientGoneError: if Lambda no longer takes the answer. The loop must know: its connection is in the middle of one.
            MemoryError: after an answer; the loop gives the instance up.
        """
        record = RequestLog(self._environ, event, invocation)
        exchange = Exchange(
            event=event, invocation=invocation, response=response, record=record, own_headers=self._cors.headers(event)
        )
        try:
            self._answer(exchange)
        except ClientGoneError:
            record.status = record.status or _CLIENT_GONE
            record.fail("client_gone")
            raise
        except Exception as error:
            log.unexpected(error, request_id=record.request_id)
            _answer_error(exchange, GatewayError("the gateway failed on this request"))
            if isinstance(error, MemoryError):
                raise
        finally:
            record.write()

    def _answer(self, exchange: Exchange) -> None:
        try:
            route = route_of(exchange.event)
            exchange.record.operation = route.name
            if isinstance(route.target, Listing):
                self._models_list.answer(exchange, route)
            else:
                self._relay.answer(exchange, route.target)
        except GatewayError as error:
            _answer_error(exchange, error)


def _answer_error(exchange: Exchange, error: GatewayError) -> None:
    record = exchange.record
    record.fail(error.code, broken=exchange.response.started)
    if exchange.response.started:
        exchange.response.fail(type(error).__name__, error.message)
        return
    body = error_body(error, wire_format_of(exchange.event), record.request_id)
    exchange.own_answer(error.status, body, [] if error.retry_helps else [("x-should-retry", "false")])
