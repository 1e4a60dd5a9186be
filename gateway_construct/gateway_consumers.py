"""The consumers of a gateway, as methods of its construct."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from gateway_construct import advisories
from gateway_construct.consumer import Consumer, require_new
from gateway_construct.consumer_limits import LimitedConsumers
from gateway_construct.plan import Plan


class GatewayConsumers:
    """Who may call the gateway.

    Attributes:
        api: the gateway's REST API.
    """

    api: apigateway.RestApi
    _consumers_scope: Construct
    _consumers: dict[str, Consumer]
    _limited: LimitedConsumers

    @property
    def consumers(self) -> Mapping[str, Consumer]:
        """The consumers by name, in the order in which they were added."""
        return MappingProxyType(self._consumers)

    def add_consumer(self, name: str, *, plan: Plan | None = None) -> Consumer:
        """Let somebody call the gateway.

        Args:
            name: 1 to 64 letters, digits, spaces, dots, hyphens or underscores. Another name is another key.
            plan: what the consumer may use. Default: `Plan()`, no limit but the account's, which is a warning.

        Returns:
            The consumer, with its key and usage plan.

        Raises:
            ValueError: if the name is malformed or was added already, or the gateway cannot keep the plan's limits: it has no
                table, or the plan has a budget in USD and nobody has said what a model costs that the consumer may ask for.
        """
        require_new(name, self._consumers)
        scope = self.api.node.scope
        assert scope is not None  # noqa: S101  for the type checker
        plan = plan or Plan()
        limits = plan.limits
        self._limited.require(name, limits)
        consumer = Consumer(self._consumers_scope, name, name=name, plan=plan, stage=self.api.deployment_stage)
        self._consumers[name] = consumer
        self._limited.limit(consumer, limits)
        advisories.consumer_added(scope)
        if plan.unlimited:
            advisories.warn_unlimited(consumer, name)
        return consumer
