"""The authorizer: a small function that lifts the key from the request, and how API Gateway asks it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from gateway_construct.auxiliary_code import auxiliary_code, handler_of
from gateway_construct.function_runtime import RUNTIME, execution_role
from gateway_construct.logs import LogOptions, write_statement
from gateway_construct.tokens import within_seconds
from lambda_runtime.config import WireFormat

_MAXIMUM_TTL = Duration.hours(1)
_HEADERS = {WireFormat.OPENAI: "Authorization", WireFormat.ANTHROPIC: "x-api-key"}


class Authorizers(Construct):
    """One function, and as many authorizers as API Gateway's cache needs.

    Without a cache one authorizer serves every route and takes either header. With one, the headers that make up the cache's
    key must all be present, so that each route family gets an authorizer for its own header; routes of both stay without.

    Attributes:
        function: the authorizer's function.
        cache_seconds: for how long API Gateway keeps an answer.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cache_ttl: Duration | None,
        architecture: lambda_.Architecture,
        logs: LogOptions,
    ) -> None:
        super().__init__(scope, construct_id)
        _validate(cache_ttl)
        self.cache_seconds = cache_ttl.to_seconds() if cache_ttl else 0
        log_group = logs.log_group(self, "Logs")
        self.function = lambda_.Function(
            self,
            "Function",
            description="Lifts the API key from a request of the AI gateway",
            runtime=RUNTIME,
            architecture=architecture,
            handler=handler_of("authorizer"),
            code=auxiliary_code("authorizer"),
            # A cached answer serves other routes than the one it was given for, so the function must allow them all.
            environment={"AUTHORIZER_CACHED": "1"} if cache_ttl else None,
            role=execution_role(self, "Role", statements=[write_statement(log_group)]),
            log_group=log_group,
            memory_size=128,
            timeout=Duration.seconds(5),
        )
        self._either = self._authorizer_of_either_header()
        self._cached = {
            wire_format: apigateway.RequestAuthorizer(
                self,
                f"Cached{wire_format.name.title()}",
                handler=self.function,
                identity_sources=[apigateway.IdentitySource.header(header)],
                results_cache_ttl=cache_ttl,
            )
            for wire_format, header in _HEADERS.items()
            if cache_ttl
        }

    def _authorizer_of_either_header(self) -> apigateway.RequestAuthorizer:
        authorizer = apigateway.RequestAuthorizer(
            self,
            "EitherHeader",
            handler=self.function,
            identity_sources=[],
            results_cache_ttl=Duration.seconds(0),
        )
        resource = authorizer.node.default_child
        assert isinstance(resource, apigateway.CfnAuthorizer)  # noqa: S101  for the type checker
        # The L2 writes an empty string, which is no mapping expression.
        resource.add_property_deletion_override("IdentitySource")
        return authorizer

    def authorizer_for(self, wire_format: WireFormat | None) -> apigateway.IAuthorizer:
        """The authorizer of a route, by the wire format that its clients speak; None for both."""
        if wire_format is None:
            return self._either
        return self._cached.get(wire_format, self._either)


def _validate(cache_ttl: Duration | None) -> None:
    if cache_ttl is not None and not within_seconds(cache_ttl, _MAXIMUM_TTL):
        raise ValueError(
            f"authorizer_cache_ttl must be a whole number of seconds from 1 second to 1 hour, got "
            f"{cache_ttl.to_human_string()}; leave it out for no cache",
        )
