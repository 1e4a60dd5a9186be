"""The documented configurations of a gateway, in one place: template, snapshot and policy tests go through all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53

from gateway_construct import (
    AiGateway,
    AuthStyle,
    Canary,
    CodeDeploy,
    CustomDomain,
    Delivery,
    ModelRoute,
    Operation,
    Plan,
    Price,
    Quota,
    Target,
    Timeouts,
    Upstream,
    WebAcl,
    Weighted,
)
from tests.credential_configurations import federated, own_secrets, rotation

Build = Callable[[Stack], AiGateway]

_PLAN = Plan(rate=20, burst=40, quota=Quota.per_day(50_000))


def smallest(stack: Stack) -> AiGateway:
    """Two lines."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.holysheep()])


def models(stack: Stack) -> AiGateway:
    """Every preset, a model map, an upstream without a key."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[
            Upstream.holysheep(example_models=True),
            Upstream.openai(),
            Upstream.anthropic(),
            Upstream.deepseek(),
            Upstream.gemini(),
            Upstream.bedrock("us-west-2"),
            Upstream.openai_compatible("azure", base_url="https://example.openai.azure.com/openai/v1", auth=AuthStyle.API_KEY),
            Upstream.openai_compatible(
                "vllm",
                base_url="http://127.0.0.1:8000/v1",
                operations=[Operation.CHAT_COMPLETIONS],
                auth=AuthStyle.NONE,
            ),
        ],
        models={
            "gpt-4": ["holysheep/gpt-4.1", "openai/gpt-4.1"],
            "local": ["vllm/meta-llama/Llama-3.3-70B-Instruct"],
        },
        serve_unmapped_models=False,
        model_list_ttl=Duration.minutes(1),
        timeouts=Timeouts(first_content=20, total=120),
        cors_allow_origins=["https://app.example.com", "https://admin.example.com"],
    )


def failover(stack: Stack) -> AiGateway:
    """Targets with weights and with a larger context, a model that is delivered whole, clients that may ask for it."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[
            Upstream.openai(),
            Upstream.anthropic(),
            Upstream.holysheep(),
            Upstream.openai_compatible(
                "vllm", base_url="https://llm.example.com/v1", model_prefixes=["llama-"], stream_usage=False
            ),
        ],
        models={
            "gpt-4": [Target("holysheep/gpt-4.1", weight=5), "openai/gpt-4.1"],
            "chat": ["vllm/llama-4", Target("openai/gpt-4.1", larger_context=True), "anthropic/claude-sonnet-5-5"],
            "report": ModelRoute(["openai/o4", "holysheep/o4"], delivery=Delivery.WHOLE, first_content=180),
        },
        client_delivery=True,
    )


def no_table(stack: Stack) -> AiGateway:
    """Failover, but no state that function instances share."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False)


def consumers(stack: Stack) -> AiGateway:
    """Keys, plans and quotas."""
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()])
    gateway.add_consumer("search", plan=_PLAN)
    gateway.add_consumer("batch jobs", plan=Plan(quota=Quota.per_month(1_000_000)))
    gateway.add_consumer("unlimited")
    return gateway


def budgets(stack: Stack) -> AiGateway:
    """Consumers with budgets, of which one is only watched, and with models of their own; a relay's prices."""
    gateway = AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.holysheep(), Upstream.openai(), Upstream.anthropic()],
        models={"gpt-4": ["holysheep/gpt-4.1", "openai/gpt-4.1"], "claude": ["anthropic/claude-sonnet-4-5"]},
        serve_unmapped_models=False,
        prices={"holysheep/*": Price(input=2, output=8)},
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
    )
    gateway.add_consumer("search", plan=Plan(rate=20, tokens_per_day=2_000_000, usd_per_month=500, models=["gpt-*"]))
    gateway.add_consumer("trial", plan=Plan(rate=20, usd_per_day=5, budget_mode="shadow"))
    gateway.add_consumer("batch jobs", plan=_PLAN)
    return gateway


def weighted_release(stack: Stack) -> AiGateway:
    """5 % of the requests for the new version."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        release=Weighted(stable_version="7", weight=0.05),
    )


def canary_release(stack: Stack) -> AiGateway:
    """New versions prove themselves on 5 % of the requests, and take over in steps or fall back by themselves."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        release=Canary(weight=0.05, bake=Duration.hours(48), ramp=[0.25, 0.5], ramp_interval=Duration.hours(1)),
    )


def code_deploy_release(stack: Stack) -> AiGateway:
    """CloudFormation waits while CodeDeploy shifts the requests."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        release=CodeDeploy(config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES),
    )


def cached_authorizer(stack: Stack) -> AiGateway:
    """One header style a route family, for speed."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], authorizer_cache_ttl=Duration.minutes(5))


def customer_key(stack: Stack) -> AiGateway:
    """Secrets, table and logs encrypted with the user's own key."""
    return AiGateway(
        stack, "Gateway", upstreams=[Upstream.openai()], encryption_key=kms.Key(stack, "Key", enable_key_rotation=True)
    )


def custom_domain(stack: Stack) -> AiGateway:
    """The user's own domain name, and no other way in."""
    return AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        domain=CustomDomain(
            name="llm.example.com",
            certificate=_certificate(stack),
            hosted_zone=route53.HostedZone.from_hosted_zone_attributes(
                stack,
                "Zone",
                hosted_zone_id="Z0123456789ABCDEFGHIJ",
                zone_name="example.com",
            ),
            disable_default_endpoint=True,
        ),
    )


def web_acl(stack: Stack) -> AiGateway:
    """AWS WAF before the stage."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], web_acl=WebAcl(rate_limit_per_5_minutes=500))


def private_endpoint(stack: Stack) -> AiGateway:
    """Reachable through one VPC endpoint."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], private_endpoint=_endpoint(stack))


def access_logs_and_tracing(stack: Stack) -> AiGateway:
    """What API Gateway and X-Ray can tell."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], access_logs=True, tracing=True)


def everything(stack: Stack) -> AiGateway:
    """Every option that goes with the others."""
    gateway = AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.holysheep(example_models=True), Upstream.openai(), Upstream.anthropic()],
        models={"gpt-4": ["holysheep/gpt-4.1", "openai/gpt-4.1"]},
        release=Weighted(stable_version="7", weight=0.05),
        memory_size=512,
        timeout=Duration.minutes(10),
        architecture=lambda_.Architecture.X86_64,
        reserved_concurrency=100,
        snap_start=True,
        environment={"LOG_LEVEL": "debug"},
        tracing=True,
        log_retention=logs.RetentionDays.ONE_WEEK,
        log_removal_policy=RemovalPolicy.DESTROY,
        access_logs=True,
        authorizer_cache_ttl=Duration.minutes(1),
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        domain=CustomDomain(
            name="llm.example.com",
            certificate=_certificate(stack),
        ),
        web_acl=WebAcl(),
        client_delivery=True,
        point_in_time_recovery=True,
        table_removal_policy=RemovalPolicy.DESTROY,
    )
    gateway.add_consumer("search", plan=_PLAN)
    return gateway


CONFIGURATIONS: Mapping[str, Build] = {
    build.__name__.replace("_", "-"): build
    for build in (
        smallest,
        models,
        failover,
        no_table,
        consumers,
        budgets,
        weighted_release,
        canary_release,
        code_deploy_release,
        cached_authorizer,
        customer_key,
        custom_domain,
        web_acl,
        private_endpoint,
        access_logs_and_tracing,
        own_secrets,
        rotation,
        federated,
        everything,
    )
}
"""By name, in the order of the documents."""


def stack_of(name: str, *, context: Mapping[str, object] | None = None) -> Stack:
    """A stack with that configuration, in an app of its own.

    Args:
        name: of the configuration.
        context: the app's, for example feature flags.
    """
    stack = Stack(
        App(context=context, analytics_reporting=False),
        "AiGateway",
        env=Environment(account="111122223333", region="eu-central-1") if name in {"own-secrets", "rotation"} else None,
    )
    CONFIGURATIONS[name](stack)
    return stack


def _certificate(stack: Stack) -> acm.ICertificate:
    arn = "arn:aws:acm:eu-central-1:111122223333:certificate/11112222-3333-4444-5555-666677778888"
    return acm.Certificate.from_certificate_arn(stack, "Certificate", arn)


def _endpoint(stack: Stack) -> ec2.IInterfaceVpcEndpoint:
    return ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack,
        "Endpoint",
        vpc_endpoint_id="vpce-0123456789abcdef0",
        port=443,
    )
