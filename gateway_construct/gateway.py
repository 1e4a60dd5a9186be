"""The gateway: what the user sees, put together from the other files of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_cloudwatch import Alarm, CfnDashboard
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_ec2 import IInterfaceVpcEndpoint
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import ILogGroup, RetentionDays
from aws_cdk.aws_secretsmanager import ISecret
from constructs import Construct

from gateway_construct import advisories
from gateway_construct.authorizer import Authorizers
from gateway_construct.configuration import gateway_config, require_flags
from gateway_construct.consumer_limits import LimitedConsumers
from gateway_construct.credentials import UpstreamSecrets
from gateway_construct.domain import CustomDomain, attach_domain
from gateway_construct.environment import function_environment
from gateway_construct.federation import federation_statements
from gateway_construct.function import GatewayFunction
from gateway_construct.function_asset import function_code
from gateway_construct.gateway_access import GatewayAccess
from gateway_construct.gateway_api import gateway_api
from gateway_construct.gateway_consumers import GatewayConsumers
from gateway_construct.gateway_metrics import GatewayMetrics
from gateway_construct.hooks import HookFiles
from gateway_construct.logs import LogOptions, allow_logs
from gateway_construct.monitoring import Monitoring
from gateway_construct.private_endpoint import require_reachable
from gateway_construct.release import Release, require_release
from gateway_construct.releases import Releases
from gateway_construct.rest_api import base_url, tag_api
from gateway_construct.rotation_function import rotate_credentials
from gateway_construct.state_table import StateTable, require_table_for
from gateway_construct.upstream import Upstream
from gateway_construct.web_acl import WebAcl
from lambda_runtime.config import ModelRoute, Target, Timeouts
from lambda_runtime.config.prices import Price

if TYPE_CHECKING:
    from aws_cdk.aws_sns import ITopic
    from aws_cdk.aws_stepfunctions import StateMachine


class AiGateway(GatewayAccess, GatewayConsumers, GatewayMetrics, Construct):
    """One HTTPS endpoint for OpenAI and Anthropic clients: keys and quotas, streaming, credentials, a versioned function.

    `AiGateway(stack, "Gateway", upstreams=[Upstream.openai()])` is a complete gateway. `add_consumer` lets somebody call it.

    Args:
        scope: usually a stack.
        construct_id: id within the scope. A stack may hold several gateways.
        upstreams: the providers, in order of preference. A model that `models` does not name goes to the first of them that may
            have it by its name, one that speaks the client's format before one that is translated for; if none may, to the
            first that serves the operation.
        models: the model map: the name that clients ask for, and its targets in order, each `upstream/model` or a `Target` with
            a weight. A request that fails at one goes on to the next. A `ModelRoute` says more about one name. Default: empty.
        serve_unmapped_models: whether a model that `models` does not name is passed on under its own name; otherwise it is
            answered with 404. Default: True.
        prices: what tokens cost, by `upstream/model`, or by `upstream/*` for all other models of an upstream: a relay's prices,
            and terms of yours. Costs and budgets in USD, which are estimates, go by them. Default: the list prices of those
            targets in `models` whose provider is in the list (docs/budgets.md); other models have none.
        timeouts: how long the gateway waits, in seconds. Default: 3 to connect, 30 to the first content of a stream, 120 if the
            model reasons, 60 between two reads, 290 to an answer that is not streamed, 20 between two heartbeats.
        client_delivery: whether a client may have a stream delivered when it is complete, by the header
            `x-ai-gateway-delivery: whole`, so that failover rescues it even in the middle. It pays with its first token, which
            comes with the last. It is for every consumer: the function cannot tell API Gateway's plans apart. Default: False.
        model_list_ttl: for how long a function instance keeps what the upstreams list as their models. Default: 5 minutes.
        cors_allow_origins: origins that browsers may call from: "*" for any, an empty list for none. Default: ["*"].
        hooks: directory with a module `gateway_hooks.py` of yours, whose `before_request` and `after_response` are called with
            each request (docs/hooks.md). It is bundled into the function; a relative path is relative to the directory in which
            `cdk synth` runs. Default: none.
        release: how a new version takes over: `AllAtOnce()`, `Canary(...)`, `CodeDeploy(...)` or, by hand, `Weighted(...)`.
            Default: `AllAtOnce()`.
        memory_size: of the function, in MiB, 128 to 10,240. Lambda gives a share of a CPU in proportion: 256 MiB are a
            seventh of one. A stream waits for the upstream most of its time and is billed for its memory all of that time, so
            more costs in proportion and gains little. Default: 256.
        timeout: of the function, 15 minutes at most. The gateway ends an answer by itself 1.5 seconds earlier.
            Default: 15 minutes.
        architecture: of the functions. Default: `Architecture.ARM_64`, which costs a fifth less.
        reserved_concurrency: function instances that the gateway may use at most, one for each request under way, and that
            nothing else in the account can take. Default: none reserved, the account's limit applies.
        snap_start: whether published versions start from a snapshot. Default: False.
        environment: additional environment variables of the function. Default: none.
        tracing: whether X-Ray traces the stage and the function. Its permission is the only one that names no resource:
            X-Ray has none to name. Default: False.
        log_retention: how long all of the gateway's logs are kept. Default: `RetentionDays.THREE_MONTHS`.
        log_removal_policy: what becomes of the logs when the gateway is removed. Default: `RemovalPolicy.RETAIN`.
        access_logs: whether API Gateway writes a line for each request, those included that never reach the function. It
            needs API Gateway's CloudWatch role, a setting of the whole account and Region that this construct does not touch:
            without it the deployment fails. Default: False.
        authorizer_cache_ttl: for how long API Gateway remembers an authorizer's answer, 1 hour at most. It saves the
            authorizer's call, and costs a choice: API Gateway wants every header that makes up the cache's key, so that
            chat completions, responses and embeddings then take the key in `Authorization: Bearer` only, messages and token
            counting in `x-api-key` only, which newer Anthropic SDKs send only when told to (`default_headers`). Listing models
            takes either. Default: no cache, every route takes either header.
        resilience: whether function instances share what they know of upstreams in a table, so that together they leave out one
            that fails, and count each consumer's tokens in it. Without it a request that fails still goes on to the next
            target, but each finds out by itself. Default: True.
        point_in_time_recovery: whether the table can be restored to any second of the last 35 days, which has a price. What is
            lost without it are usage counts. Default: False.
        table_removal_policy: what becomes of the table when the gateway or `resilience` is removed. It holds the usage of past
            months. Default: `RemovalPolicy.RETAIN`.
        consumer_limits: whether the function reads consumers' budgets and models from the table before each of their requests:
            True also lets `ai-gateway budgets set` limit consumers that the template does not. Default: once a plan has some.
        dashboard: whether there is a CloudWatch dashboard for the gateway. Default: True.
        alarm_topic: is told when an alarm of the gateway rings. Without it there are only those alarms that releases and
            rotations need, and they tell nobody. Default: none.
        metrics_cost_notice: USD a month. If metrics, alarms and dashboard may cost more, synth warns. Default: 30.0.
        encryption_key: encrypts the secrets that the gateway creates, its table and its logs. A key of the same app is given
            the policy that CloudWatch Logs needs; a key that is imported must already have it. Default: AWS's own keys.
        domain: the user's own domain name. Default: none, API Gateway's address.
        web_acl: an AWS WAF web ACL before the stage. Default: none.
        private_endpoint: makes the gateway private: reachable through this VPC endpoint (of the service `execute-api`) only.
            Default: none, the gateway is reachable from the internet.

    Attributes:
        api: the REST API.
        function: the function; requests come through its alias.
        version: the version that this deployment publishes, unless nothing of the function has changed.
        alias: `live`, the alias that the API calls.
        release_alarms: alarms that take the requests back from a new version; none unless `release` watches it.
        release_state_machine: carries a `Canary` out, or None.
        rotation_function: replaces the keys of upstreams that have a rotation, or None.
        rotation_alarms: alarms about these rotations.
        authorizer_function: lifts the key from the request.
        log_group: the function's logs.
        access_log_group: API Gateway's logs, or None.
        secrets: the secret of each upstream that takes a key, by the upstream's name.
        table: breaker states and usage counts, or None.
        alarms: all alarms of the gateway.
        dashboard: the dashboard, or None.
        domain_name: API Gateway's resource for the domain, or None.

    Raises:
        ValueError: if a prop is out of its range, or props contradict each other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        upstreams: Sequence[Upstream],
        models: Mapping[str, Sequence[str | Target] | ModelRoute] | None = None,
        serve_unmapped_models: bool = True,
        prices: Mapping[str, Price] | None = None,
        timeouts: Timeouts | None = None,
        client_delivery: bool = False,
        model_list_ttl: Duration | None = None,
        cors_allow_origins: Sequence[str] = ("*",),
        hooks: str | PathLike[str] | None = None,
        release: Release | None = None,
        memory_size: int = 256,
        timeout: Duration | None = None,
        architecture: lambda_.Architecture | None = None,
        reserved_concurrency: int | None = None,
        snap_start: bool = False,
        environment: Mapping[str, str] | None = None,
        tracing: bool = False,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
        log_removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        access_logs: bool = False,
        authorizer_cache_ttl: Duration | None = None,
        resilience: bool = True,
        point_in_time_recovery: bool = False,
        table_removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        consumer_limits: bool | None = None,
        dashboard: bool = True,
        alarm_topic: ITopic | None = None,
        metrics_cost_notice: float = 30.0,
        encryption_key: IKey | None = None,
        domain: CustomDomain | None = None,
        web_acl: WebAcl | None = None,
        private_endpoint: IInterfaceVpcEndpoint | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        require_flags(
            serve_unmapped_models=serve_unmapped_models,
            client_delivery=client_delivery,
            snap_start=snap_start,
            tracing=tracing,
            access_logs=access_logs,
            resilience=resilience,
            dashboard=dashboard,
            point_in_time_recovery=point_in_time_recovery,
            consumer_limits=consumer_limits or False,
        )
        release = require_release(release)
        require_reachable(private_endpoint, domain)
        require_table_for(resilience=resilience, point_in_time_recovery=point_in_time_recovery, consumer_limits=consumer_limits)
        hook_files = None if hooks is None else HookFiles.read(hooks)
        config = gateway_config(
            upstreams=upstreams,
            models=models,
            serve_unmapped_models=serve_unmapped_models,
            timeouts=timeouts,
            client_delivery=client_delivery,
            model_list_ttl=model_list_ttl,
            cors_allow_origins=cors_allow_origins,
            prices=prices,
            hooks=hook_files is not None,
        )
        architecture = architecture or lambda_.Architecture.ARM_64
        logs = LogOptions(retention=log_retention, removal_policy=log_removal_policy, encryption_key=encryption_key)
        if encryption_key is not None:
            allow_logs(self, encryption_key)

        credentials = UpstreamSecrets(self, "Secrets", upstreams=upstreams, encryption_key=encryption_key)
        state = (
            StateTable(
                self,
                "State",
                encryption_key=encryption_key,
                point_in_time_recovery=point_in_time_recovery,
                removal_policy=table_removal_policy,
            )
            if resilience
            else None
        )
        table = state.table if state else None
        function = GatewayFunction(
            self,
            "Function",
            code=function_code(self, config, hook_files),
            environment=function_environment(config, environment, secrets=credentials.by_upstream, table=table),
            policy=[
                *credentials.read_statements(),
                *federation_statements(config),
                *(state.access_statements() if state else ()),
            ],
            logs=logs,
            release=release,
            memory_size=memory_size,
            timeout=timeout,
            architecture=architecture,
            reserved_concurrency=reserved_concurrency,
            snap_start=snap_start,
            tracing=tracing,
        )
        releases = Releases(self, function=function, release=release)
        authorizers = Authorizers(self, "Authorizer", cache_ttl=authorizer_cache_ttl, architecture=architecture, logs=logs)
        access_log_group = logs.log_group(self, "AccessLogs") if access_logs else None
        api = gateway_api(
            self,
            alias=function.alias,
            authorizers=authorizers,
            cors_allow_origins=config.cors_allow_origins,
            access_log_group=access_log_group,
            tracing=tracing,
            private_endpoint=private_endpoint,
            domain=domain,
            web_acl=web_acl,
        )
        rotation = rotate_credentials(
            self,
            "Rotation",
            upstreams=upstreams,
            secrets=credentials.by_upstream,
            gateway_function=function.function.function_name,
            architecture=architecture,
            logs=logs,
        )
        tag_api(
            api,
            function=function.function.function_name,
            state_machine=releases.state_machine,
            rotation=rotation.function.function_name if rotation else None,
        )

        self._config = config
        self.api: apigateway.RestApi = api
        self.function: lambda_.Function = function.function
        self.version: lambda_.IVersion = function.version
        self.alias: lambda_.Alias = function.alias
        self.release_alarms: Sequence[Alarm] = releases.alarms
        self.release_state_machine: StateMachine | None = releases.state_machine
        self.rotation_function: lambda_.Function | None = rotation.function if rotation else None
        self.rotation_alarms: Sequence[Alarm] = rotation.alarms if rotation else ()
        self.authorizer_function: lambda_.Function = authorizers.function
        self.log_group: ILogGroup = function.log_group
        self.access_log_group: ILogGroup | None = access_log_group
        self.secrets: Mapping[str, ISecret] = credentials.by_upstream
        self.table: ITable | None = table
        self.domain_name = attach_domain(self, "Domain", api=api, domain=domain) if domain else None
        releases.start_after(function.alias, api.deployment_stage)
        monitoring = Monitoring(
            self,
            gateway=self,
            config=config,
            api=api,
            dashboard=dashboard,
            alarm_topic=alarm_topic,
            metrics_cost_notice=metrics_cost_notice,
            release_alarms=releases.alarms,
            release_arn=releases.state_machine_arn,
            rollback_arn=releases.rollback_arn,
            rollback_rules=releases.rule_names,
            two_versions=releases.two_versions,
            rotated=[upstream.name for upstream in upstreams if upstream.rotation],
            rotation_alarms=self.rotation_alarms,
        )
        self.alarms: Sequence[Alarm] = monitoring.alarms
        self.dashboard: CfnDashboard | None = monitoring.dashboard
        self._url = base_url(self, api=api, domain=domain, private_endpoint=private_endpoint)
        self._consumers_scope = Construct(self, "Consumers")
        self._consumers = {}
        self._limited = LimitedConsumers(
            self,
            config=config,
            api=api,
            function=function.function,
            state=state,
            architecture=architecture,
            logs=logs,
            wanted=consumer_limits,
        )
        advisories.warn_no_consumer(self)
        advisories.warn_unencrypted(self, upstreams)
