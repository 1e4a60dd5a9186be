"""A team's own stack, in which the gateway is one resource among others."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_cloudwatch import Alarm, MathExpression, TreatMissingData
from aws_cdk.aws_kms import Key
from constructs import Construct

from gateway_construct import AiGateway, Plan, Upstream

# With an SDK in its package it would be `OpenAI(api_key=key)`, which takes OPENAI_BASE_URL by itself.
_HANDLER = """
import boto3, json, os, urllib.request

def handler(event, context):
    key = boto3.client("apigateway").get_api_key(apiKey=os.environ["GATEWAY_KEY_ID"], includeValue=True)["value"]
    url = os.environ["OPENAI_BASE_URL"] + "/models"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"authorization": "Bearer " + key})) as response:
        return json.load(response)
"""


class SearchStack(Stack):
    """A search service and the gateway that it asks its models through."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = Key(self, "Key", description="Secrets and logs of the search service", enable_key_rotation=True)
        self.gateway = AiGateway(
            self,
            "Gateway",
            upstreams=[Upstream.anthropic(), Upstream.openai()],
            models={"embedding": ["openai/text-embedding-3-small"]},
            encryption_key=key,
        )
        self._add_service()
        self._add_alarms()

    def _add_service(self) -> None:
        """A function that calls the gateway with a key of its own. It may read this key, and no other."""
        consumer = self.gateway.add_consumer("search", plan=Plan(rate=20, burst=40))
        service = lambda_.Function(
            self,
            "Service",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(_HANDLER),
            environment={"OPENAI_BASE_URL": self.gateway.openai_base_url, "GATEWAY_KEY_ID": consumer.key_id},
        )
        consumer.api_key.grant_read(service)

    def _add_alarms(self) -> None:
        """More than 1 % of errors for three periods, and a slow first byte."""
        Alarm(
            self,
            "ErrorRate",
            metric=MathExpression(
                expression="100 * errors / requests",
                using_metrics={"errors": self.gateway.metric_errors(), "requests": self.gateway.metric_requests()},
                label="errors in percent",
            ),
            threshold=1,
            evaluation_periods=3,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        Alarm(
            self,
            "FirstByte",
            metric=self.gateway.metric_first_byte_latency(statistic="p90", period=Duration.minutes(5)),
            threshold=10_000,
            evaluation_periods=3,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
