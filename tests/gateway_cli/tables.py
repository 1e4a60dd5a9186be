"""Gateways' tables in moto's AWS, tagged as the construct and CloudFormation tag them."""

from __future__ import annotations

import boto3

REGION = "us-east-1"


def create_table(name: str, *, gateway: str | None, stack: str | None = "AiGateway") -> None:
    """Make a table; without a gateway's path it is another application's, with the same keys."""
    tags = {"team": "billing", "ai-gateway:table": gateway, "aws:cloudformation:stack-name": stack}
    boto3.client("dynamodb", region_name=REGION).create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items() if value],
    )
