"""Whether a consumer's request is admitted: the models that it may ask for, its budgets, and what its answer will cost.

Asked once, before any upstream is. What was admitted is never broken off, though its budget be used up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable

from lambda_runtime.budgets import Verdict, verdict
from lambda_runtime.config import GatewayConfig, Operation
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.errors import BudgetExceededError, ModelNotAllowedError, ModelNotPricedError, RequestError
from lambda_runtime.exchange import Exchange
from lambda_runtime.log import bounded
from lambda_runtime.other_models import other_models, served_as
from lambda_runtime.request_body import Body
from lambda_runtime.router import MAX_NAMES, Routed
from lambda_runtime.state.allowances import Allowance, Allowances

BUDGET = "x-ai-gateway-budget"
"""Header that tells a budget that is nearly used up."""


class Admission:
    """Admits requests of consumers that have limits, and all others.

    Args:
        config: the gateway's.
        allowances: what consumers may use and have used.
    """

    def __init__(self, config: GatewayConfig, allowances: Allowances) -> None:
        self._config = config
        self._allowances = allowances

    def admit(self, exchange: Exchange, operation: Operation, body: Body) -> ConsumerLimits | None:
        """Look at the consumer's limits, and have every answer to this request say so if a budget is nearly used up.

        Args:
            exchange: the request; nothing of its answer has been sent.
            operation: what is asked for. Counting tokens uses none, so that no budget stops it.
            body: the request's, with the model that is asked for.

        Returns:
            The consumer's limits; None if it has none.

        Raises:
            ModelNotAllowedError: if it may not ask for the model.
            BudgetExceededError: if a budget is used up.
            LimitsError: if its limits cannot be read.
        """
        allowance, fullest = self._look(exchange)
        if allowance is None:
            return None
        limits = allowance.limits
        if limits.models is not None:
            self._require_allowed(limits, body)
        if fullest is not None and fullest.used_up and operation is not Operation.COUNT_TOKENS:
            error = BudgetExceededError(fullest.message(), retry_after=fullest.retry_after(allowance.at))
            _refuse(error, limits, exchange)
        return limits

    def require_prices(
        self, exchange: Exchange, operation: Operation, body: Body, routed: Routed, limits: ConsumerLimits
    ) -> None:
        """See to it that the answer's cost will be known, whoever of the route gives it, if the consumer has money to spend.

        Args:
            exchange: the request.
            operation: what is asked for.
            body: the request's.
            routed: who may answer.
            limits: the consumer's.

        Raises:
            ModelNotPricedError: if a model of the route, or one that the request names besides, has no price.
            ModelNotAllowedError: if it leaves the choice to the upstream.
        """
        if not limits.money or operation is Operation.COUNT_TOKENS:
            return
        try:
            for field, name in (("model", None), *other_models(body)):
                for candidate in routed.candidates:
                    self._require_price(candidate.upstream.name, name or candidate.model, field)
        except ModelNotAllowedError as error:
            _refuse(error, limits, exchange)

    def allows(self, exchange: Exchange) -> Callable[[str], bool] | None:
        """Which models a list may name. None: all.

        Args:
            exchange: a request for a list of models.

        Raises:
            LimitsError: if the consumer's limits cannot be read.
        """
        allowance, _fullest = self._look(exchange)
        return None if allowance is None or allowance.limits.models is None else allowance.limits.allows

    def _require_allowed(self, limits: ConsumerLimits, body: Body) -> None:
        if not limits.allows(body.model):
            raise ModelNotAllowedError(_not_allowed(limits, body.model), param="model")
        for field, name in other_models(body):
            if not any(map(limits.allows, served_as(self._config, name))):
                raise ModelNotAllowedError(f"{field}: {_not_allowed(limits, name)}", param=field)

    def _require_price(self, upstream: str, model: str, field: str) -> None:
        if self._config.price(upstream, model) is None:
            target = bounded(f"{upstream}/{model}")
            message = (
                f"this key has a budget in USD, and the gateway knows no price of {target!r}; its operator states it "
                f"with prices={{{target!r}: Price(input=..., output=...)}}"
            )
            raise ModelNotPricedError(message if field == "model" else f"{field}: {message}", param=field)

    def _look(self, exchange: Exchange) -> tuple[Allowance | None, Verdict | None]:
        """What the consumer may use, and its fullest budget, of which the answer and the log tell if it is nearly used up."""
        record = exchange.record
        allowance = self._allowances.of(record.consumer) if record.consumer else None
        if allowance is None:
            return None, None
        limits = allowance.limits
        fullest = verdict(limits, allowance.spent, allowance.at)
        if fullest is not None and fullest.told:
            record.budget, record.budget_percent = fullest.budget, fullest.percent
            exchange.own_headers.append((BUDGET, fullest.header(shadow=limits.shadow)))
        return allowance, fullest


def _refuse(error: RequestError, limits: ConsumerLimits, exchange: Exchange) -> None:
    """Refuse the request, or note that it would have been."""
    if not limits.shadow:
        raise error
    exchange.record.shadow_error = exchange.record.shadow_error or error.code


def _not_allowed(limits: ConsumerLimits, model: str) -> str:
    names = limits.models or ()
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"this key may not ask for the model {bounded(model)!r}; it may ask for {', '.join(names[:MAX_NAMES])}{more}"
