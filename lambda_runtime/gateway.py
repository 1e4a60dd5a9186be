"""The gateway: answers one event after the other with the parts that were built once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from lambda_runtime import headers as header_rules
from lambda_runtime import log
from lambda_runtime.attempt import Attempts
from lambda_runtime.config import GatewayConfig
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import GatewayError, error_body
from lambda_runtime.exchange import Exchange
from lambda_runtime.failover import Failover
from lambda_runtime.invocation import ClientGoneError, Invocation, ResponseWriter
from lambda_runtime.relay import Relay
from lambda_runtime.request_log import RequestLog
from lambda_runtime.router import Router
from lambda_runtime.routes import Listing, route_of, wire_format_of
from lambda_runtime.state.made_up_names import MadeUpNames
from lambda_runtime.state.target_states import NoStates, TargetStates

if TYPE_CHECKING:
    from lambda_runtime.admission import Admission
    from lambda_runtime.hooks import Hooks
    from lambda_runtime.models_list import ModelsList
    from lambda_runtime.state.usage_counts import UsageCounts

_CLIENT_GONE = 499


class Gateway:
    """Answers events. Its `handle` is a `lambda_runtime.invocation.Handler`.

    Args:
        config: what it is to do.
        transport: sends requests to upstreams.
        credentials: the upstreams' keys.
        environ: the function's environment variables.
        states: which upstreams are well. Default: nobody knows.
        usage_counts: where it is counted what consumers use. Default: nowhere.
        hooks: the user's own functions. Default: none.
        admission: looks at consumers' limits. Default: nobody has any.
    """

    def __init__(
        self,
        config: GatewayConfig,
        *,
        transport: httpx.BaseTransport,
        credentials: Credentials,
        environ: Mapping[str, str],
        states: TargetStates | None = None,
        usage_counts: UsageCounts | None = None,
        hooks: Hooks | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._config = config
        self._admission = admission
        self._environ = environ
        self._states = states or NoStates()
        self._usage_counts = usage_counts
        self._hooks = hooks
        self._names = MadeUpNames(target.name for route in config.models.values() for target in route.ordered)
        self._cors = header_rules.Cors(config.cors_allow_origins)
        self._make_models_list: Callable[[], ModelsList] = lambda: _models_list(config, transport, credentials)
        self._models_list: ModelsList | None = None
        failover = Failover(Attempts(transport, credentials, config.timeouts), self._states, config.timeouts)
        self._relay = Relay(config, Router(config, self._listed_models), failover, self._states, hooks, admission)

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
            usage = record.usage
            if usage is not None:
                price = partial(self._config.price, record.upstream)
                record.cost = usage.cost(price(record.served_model or ""), price)
            record.write()
            self._remember(record)

    def _listed_models(self) -> Iterable[str]:
        return self._models_list.cached_names() if self._models_list else ()

    def _remember(self, record: RequestLog) -> None:
        """What the client need not wait for: it has its answer."""
        usage = record.usage
        if usage is not None and self._usage_counts is not None and record.consumer:
            # First: trouble with the breaker's counts must not delay what budgets are held to.
            self._usage_counts.add(record.consumer, usage, record.cost)
        attempts = [attempt for attempt in record.attempts if self._names.believed(attempt)]
        if attempts:
            self._states.record(attempts)
        if record.hooked is not None and self._hooks is not None:
            self._hooks.after(record.hooked, record.as_hook_response())

    def _answer(self, exchange: Exchange) -> None:
        try:
            route = route_of(exchange.event)
            exchange.record.operation = route.name
            if isinstance(route.target, Listing):
                self._models_list = self._models_list or self._make_models_list()
                allows = self._admission.allows(exchange) if self._admission else None
                self._models_list.answer(exchange, route, allows)
            else:
                self._relay.answer(exchange, route.target)
        except GatewayError as error:
            _answer_error(exchange, error)


def _models_list(config: GatewayConfig, transport: httpx.BaseTransport, credentials: Credentials) -> ModelsList:
    from lambda_runtime.models_list import ModelsList  # noqa: PLC0415  few clients ask for it: a start does not pay for it

    return ModelsList(config, transport, credentials)


def _answer_error(exchange: Exchange, error: GatewayError) -> None:
    record = exchange.record
    record.fail(error.code, broken=exchange.response.started)
    if exchange.response.started:
        exchange.response.fail(type(error).__name__, error.message)
        return
    body = error_body(error, wire_format_of(exchange.event), record.request_id)
    exchange.own_answer(error.status, body, error.headers)
