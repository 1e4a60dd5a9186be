"""The app's one stack: a gateway, its consumers, and what their users need to know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_certificatemanager import Certificate
from aws_cdk.aws_secretsmanager import Secret
from constructs import Construct

from gateway_app.context import KEY, AppContext, DomainEntry, output_id
from gateway_app.json_value import blamed_on
from gateway_app.upstreams import UpstreamEntry
from gateway_construct import AiGateway, CustomDomain, Upstream

if TYPE_CHECKING:
    from aws_cdk.aws_sns import ITopic


class GatewayStack(Stack):
    """A gateway and its consumers, bound to no account and Region: it goes where the CLI's credentials point."""

    def __init__(self, scope: Construct, context: AppContext) -> None:
        # Analytics name the Python that synthesized, so that another machine would write another template.
        super().__init__(scope, context.stack_name, description="AI gateway", analytics_reporting=False)
        self.gateway = AiGateway(
            self,
            "Gateway",
            upstreams=[self._upstream(entry) for entry in context.upstreams],
            domain=self._domain(context.domain),
            alarm_topic=self._alarm_topic(context.alarm_topic_arn),
            **context.settings,
        )
        for name, plan in context.consumers.items():
            with blamed_on(f"{KEY}.consumers.{name}"):
                self.gateway.add_consumer(name, plan=plan)
        self._add_outputs()

    def _upstream(self, entry: UpstreamEntry) -> Upstream:
        if entry.secret_arn is None:
            return entry.upstream
        construct_id = f"{output_id(entry.upstream.name)}Secret"
        return replace(entry.upstream, secret=Secret.from_secret_complete_arn(self, construct_id, entry.secret_arn))

    def _domain(self, entry: DomainEntry | None) -> CustomDomain | None:
        if entry is None:
            return None
        # Imported where it is needed: each of the CDK's modules costs start-up.
        from aws_cdk.aws_route53 import HostedZone  # noqa: PLC0415

        return CustomDomain(
            name=entry.name,
            certificate=Certificate.from_certificate_arn(self, "Certificate", entry.certificate_arn),
            hosted_zone=HostedZone.from_hosted_zone_attributes(
                self,
                "HostedZone",
                hosted_zone_id=entry.hosted_zone_id,
                zone_name=entry.hosted_zone_name,
            )
            if entry.hosted_zone_id and entry.hosted_zone_name
            else None,
            disable_default_endpoint=entry.disable_default_endpoint,
        )

    def _alarm_topic(self, arn: str | None) -> ITopic | None:
        if arn is None:
            return None
        # Imported where it is needed, as above.
        from aws_cdk.aws_sns import Topic  # noqa: PLC0415

        return Topic.from_topic_arn(self, "AlarmTopic", arn)

    def _add_outputs(self) -> None:
        gateway = self.gateway
        CfnOutput(self, "GatewayUrl", value=gateway.url, description="Where the gateway is reached")
        CfnOutput(self, "OpenAiBaseUrl", value=gateway.openai_base_url, description="base_url of OpenAI's SDKs")
        CfnOutput(self, "AnthropicBaseUrl", value=gateway.anthropic_base_url, description="base_url of Anthropic's SDKs")
        for name, consumer in gateway.consumers.items():
            CfnOutput(
                self,
                f"Consumer{output_id(name)}KeyId",
                value=consumer.key_id,
                description=f"Id of {name}'s key; this prints the key: "
                "aws apigateway get-api-key --include-value --query value --output text --api-key <this id>",
            )
        for name, secret in gateway.secrets.items():
            CfnOutput(
                self,
                f"Upstream{output_id(name)}SecretArn",
                value=secret.secret_arn,
                description=f"Where the key of {name} belongs; this sets it: "
                "aws secretsmanager put-secret-value --secret-string <key> --secret-id <this ARN>",
            )
        if gateway.table is not None:
            CfnOutput(
                self,
                "TableName",
                value=gateway.table.table_name,
                description="Breaker states and token usage; whoever runs the gateway reads them with the command ai-gateway",
            )
