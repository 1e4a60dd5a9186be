"""Plans: what a consumer may use, in requests, tokens, money and models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Token
from aws_cdk.aws_apigateway import Period

from gateway_construct.tokens import known
from lambda_runtime.config.limits import BUDGETS, ConsumerLimits

BudgetMode = Literal["enforce", "shadow"]
_MODES = ("enforce", "shadow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """How many requests a consumer may send in a period. API Gateway counts them on a best-effort basis.

    Args:
        limit: requests in a period, at least 1.
        period: day, week or month, in UTC.

    Raises:
        ValueError: if the limit is not a whole number of at least 1.
    """

    limit: int
    period: Period

    def __post_init__(self) -> None:
        _require_whole("quota: limit", self.limit)

    @classmethod
    def per_day(cls, limit: int) -> Quota:
        """So many requests a day."""
        return cls(limit=limit, period=Period.DAY)

    @classmethod
    def per_week(cls, limit: int) -> Quota:
        """So many requests a week."""
        return cls(limit=limit, period=Period.WEEK)

    @classmethod
    def per_month(cls, limit: int) -> Quota:
        """So many requests a month."""
        return cls(limit=limit, period=Period.MONTH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a consumer may use. `Plan()` has no limit but those of the account.

    Requests are counted by API Gateway, on a best-effort basis. Tokens and money are counted by the gateway, from what answers
    have used: a budget that is used up refuses the next request, and an answer that was admitted is never cut
    (docs/budgets.md). Days and months are in UTC.

    Args:
        rate: requests a second in the long run, more than 0. Default: no limit.
        burst: requests that may come at once, at least 1; needs `rate`. Default: the rate, rounded up.
        quota: requests in a day, week or month. Default: no quota.
        tokens_per_day: tokens of a day, those of input and output together. Default: no budget.
        tokens_per_month: tokens of a month. Default: no budget.
        usd_per_day: USD of a day, an estimate by the gateway's prices. Default: no budget.
        usd_per_month: USD of a month, an estimate by the gateway's prices. Default: no budget.
        models: the models that may be asked for, by the names that clients use; one that ends in `*` stands for all that begin
            so. Default: all that the gateway serves.
        budget_mode: "enforce", or "shadow", in which a budget that is used up is told in the log and by a header, and nobody is
            refused. It does not concern `models`. Default: "enforce".

    Raises:
        ValueError: if a number is out of its range, a burst is given without a rate, a budget or a model is known at deployment
            only, or there is a shadow mode without a budget.
    """

    rate: float | None = None
    burst: int | None = None
    quota: Quota | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    usd_per_day: float | None = None
    usd_per_month: float | None = None
    models: Sequence[str] | None = None
    budget_mode: BudgetMode = "enforce"

    def __post_init__(self) -> None:
        if self.rate is not None and known(self.rate) and not 0 < self.rate < math.inf:
            raise ValueError(f"plan: rate must be more than 0 requests a second, got {self.rate!r}; leave it out for no limit")
        if self.burst is not None:
            if self.rate is None:
                raise ValueError(f"plan: burst needs a rate, got burst {self.burst!r} alone; give rate as well")
            _require_whole("plan: burst", self.burst)
        if self.budget_mode not in _MODES:
            raise ValueError(f"plan: budget_mode must be 'enforce' or 'shadow', got {self.budget_mode!r}")
        for name in (*BUDGETS, "models"):
            _require_known(name, getattr(self, name))
        limits = self.limits
        # A list that is given may be changed by whoever gave it.
        object.__setattr__(self, "models", limits.models)
        if self.budget_mode == "shadow" and not limits.budgets:
            raise ValueError(
                f"plan: budget_mode='shadow' is about budgets, of which the plan has none; give {', '.join(BUDGETS[:-1])} or "
                f"{BUDGETS[-1]}, or leave it out"
            )

    @property
    def limits(self) -> ConsumerLimits:
        """What the gateway itself sees to: budgets and models.

        Raises:
            ValueError: if one of them is none.
        """
        try:
            return ConsumerLimits(
                tokens_per_day=self.tokens_per_day,
                tokens_per_month=self.tokens_per_month,
                usd_per_day=self.usd_per_day,
                usd_per_month=self.usd_per_month,
                shadow=self.budget_mode == "shadow",
                models=self.models,
            )
        except ValueError as error:
            raise ValueError(f"plan: {error}") from error

    @property
    def effective_burst(self) -> int | None:
        """The burst, with its default."""
        if self.burst is not None or self.rate is None or not known(self.rate):
            return self.burst
        return math.ceil(self.rate)

    @property
    def unlimited(self) -> bool:
        """Whether nothing limits what the consumer uses but the account's own limits."""
        enforced = self.limits.budgets and self.budget_mode == "enforce"
        return self.rate is None and self.quota is None and not enforced


def _require_known(name: str, value: object) -> None:
    if _is_token(value):
        raise ValueError(
            f"plan: {name} must be known at synth, when it is checked, got a token; write it out. Limits that differ by "
            "environment are set after deployment by 'ai-gateway budgets set', with consumer_limits=True"
        )


def _is_token(value: object) -> bool:
    """Whether something is known at deployment only. About what is of no type that could be, the CDK cannot even be asked."""
    if isinstance(value, list | tuple):
        texts = all(isinstance(one, str) for one in value)
        # A list as a whole may be one.
        return texts and (any(map(_is_token, value)) or bool(Token.is_unresolved(list(value))))
    if isinstance(value, float):
        return not known(value)
    return isinstance(value, str) and bool(Token.is_unresolved(value))


def _require_whole(what: str, value: object) -> None:
    if isinstance(value, float) and not known(value):
        return
    if isinstance(value, bool) or not isinstance(value, int) or (known(value) and value < 1):
        raise ValueError(f"{what} must be a whole number of at least 1, got {value!r}")
