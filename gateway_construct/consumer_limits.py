"""Gets consumers' limits into the table, and checks that the gateway can keep them."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from gateway_construct import advisories
from gateway_construct.auxiliary_code import auxiliary_code, handler_of
from gateway_construct.consumer import MEMBERSHIP, Consumer
from gateway_construct.function_runtime import RUNTIME, execution_role
from gateway_construct.logs import LogOptions, write_statement
from gateway_construct.rest_api import tag_limits
from gateway_construct.state_table import StateTable
from lambda_runtime.config import LIMITS_VARIABLE, GatewayConfig
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.config.prices import ANY_MODEL

_RESOURCE = "Custom::AiGatewayConsumerLimits"
_SECONDS = Duration.minutes(1)


class LimitedConsumers:
    """Those consumers of a gateway that have limits. A gateway that has none of them has nothing of this in its template.

    Args:
        scope: the gateway.
        config: its configuration.
        api: its REST API, by which the command line tells that it reads limits.
        function: its function, which is told to read limits.
        state: its table, or None.
        architecture: of the function that writes limits.
        logs: how long that function's logs are kept.
        wanted: whether the function reads limits: True, also if no consumer of the template has any; False, never; None, once
            a consumer has some.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: GatewayConfig,
        api: apigateway.RestApi,
        function: lambda_.Function,
        state: StateTable | None,
        architecture: lambda_.Architecture,
        logs: LogOptions,
        wanted: bool | None,
    ) -> None:
        self._scope = scope
        self._config = config
        self._api = api
        self._function = function
        self._state = state
        self._architecture = architecture
        self._logs = logs
        self._wanted = wanted
        self._writer: _LimitsFunction | None = None
        if wanted and state is not None:
            self._read_limits(state)

    def require(self, name: str, limits: ConsumerLimits) -> None:
        """Check that the gateway can keep a consumer's limits.

        Args:
            name: the consumer's.
            limits: what it may use.

        Raises:
            ValueError: if it cannot.
        """
        if limits.unlimited:
            return
        if self._state is None:
            raise ValueError(
                f"add_consumer: budgets and models of {name!r} are kept in the table, which resilience=False leaves out; leave "
                "that out, or the limits"
            )
        if self._wanted is False:
            raise ValueError(
                f"add_consumer: the plan of {name!r} has budgets or models, which consumer_limits=False says that the gateway "
                "does not read; leave that out, or the limits"
            )
        unserved = [] if self._config.serve_unmapped_models else limits.unmatched(self._config.models)
        if unserved:
            raise ValueError(
                f"add_consumer: the plan of {name!r} has models that the gateway does not serve, got {unserved}; it serves "
                f"{', '.join(self._config.models)}"
            )
        if limits.money:
            self._require_prices(name, limits)

    def limit(self, consumer: Consumer, limits: ConsumerLimits) -> None:
        """Write a consumer's limits, if it has any, and warn of what they do that may surprise.

        Args:
            consumer: who.
            limits: what it may use. They must have been checked.
        """
        if limits.unlimited or self._state is None:
            return
        if self._writer is None:
            self._read_limits(self._state)
            self._writer = _LimitsFunction(
                self._scope, "Limits", state=self._state, architecture=self._architecture, logs=self._logs
            )
        self._writer.write(consumer, limits)
        if limits.money and any(self._unpriced_by_name(limits)):
            advisories.warn_unpriced(consumer, consumer.consumer_name, self._unpriced_upstreams(), shadow=limits.shadow)

    def _read_limits(self, state: StateTable) -> None:
        self._function.add_environment(LIMITS_VARIABLE, "1")
        tag_limits(self._api, state.table.table_name)

    def _require_prices(self, name: str, limits: ConsumerLimits) -> None:
        unpriced = {
            target.name: None
            for model, route in self._config.models.items()
            if limits.allows(model)
            for target in route.ordered
            if self._config.price(target.upstream, target.model) is None
        }
        if unpriced:
            raise ValueError(
                f"add_consumer: {name!r} has a budget in USD, and nobody has said what these cost: {', '.join(unpriced)}; give "
                f"their prices to the gateway, prices={{{next(iter(unpriced))!r}: Price(input=..., output=...)}} in USD per "
                "million tokens, name other models in the plan, or give a budget in tokens"
            )

    def _unpriced_upstreams(self) -> list[str]:
        names = (upstream.name for upstream in self._config.upstreams)
        return [name for name in names if f"{name}/{ANY_MODEL}" not in self._config.prices]

    def _unpriced_by_name(self, limits: ConsumerLimits) -> Iterator[str]:
        """Names that are allowed, that the model map does not have, and that may go where nobody has said what they cost."""
        if not self._config.serve_unmapped_models:
            return
        upstreams = self._unpriced_upstreams()
        for model in (ANY_MODEL,) if limits.models is None else limits.models:
            if model not in self._config.models and any(self._config.price(one, model) is None for one in upstreams):
                yield model


class _LimitsFunction(Construct):
    """The small function that writes limits when CloudFormation makes, changes or removes them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, state: StateTable, architecture: lambda_.Architecture, logs: LogOptions
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.log_group(self, "Logs")
        self._table_name = state.table.table_name
        self._role = execution_role(self, "Role", statements=[write_statement(log_group), *state.limits_statements()])
        self._function = lambda_.Function(
            self,
            "Function",
            description="Writes the limits of the AI gateway's consumers",
            runtime=RUNTIME,
            architecture=architecture,
            handler=handler_of("consumer_limits"),
            code=auxiliary_code("consumer_limits"),
            role=self._role,
            log_group=log_group,
            memory_size=256,
            timeout=_SECONDS,
        )

    def write(self, consumer: Consumer, limits: ConsumerLimits) -> None:
        resource = CustomResource(
            consumer,
            "Limits",
            resource_type=_RESOURCE,
            service_token=self._function.function_arn,
            service_timeout=_SECONDS,
            properties={"Table": self._table_name, "KeyId": consumer.key_id, "Limits": limits.to_json()},
        )
        # Not before it may write, and until nothing more is to be deleted.
        resource.node.add_dependency(self._role)
        # A key opens nothing before its limits hold, and nothing any more when they go.
        consumer.node.find_child(MEMBERSHIP).node.add_dependency(resource)
