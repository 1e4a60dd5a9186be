"""The table that a gateway's function instances share: what they know of the upstreams, what consumers used and may use."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kms import IKey
from constructs import Construct

from gateway_construct.gateway_tag import gateway_path

TABLE_TAG = "ai-gateway:table"
"""Tag by which the command line tells the table from others of the stack. Its value is the path of the gateway's construct."""

USAGE_PARTITION = "usage#"
"""How the partitions begin that hold what a consumer has used and may use."""


class StateTable(Construct):
    """A table on demand: breaker states and windows, operators' weights, token usage per consumer.

    It is kept when the gateway goes unless told otherwise, as secrets and logs are: the usage of past months is in it, and kept
    for longer than the logs are. Everything else in it is worth minutes, and the gateway goes on without it, so that
    point-in-time recovery, which is paid for, is off by default. There is no deletion protection: it would keep a stack from
    going that was told to take the table along.

    Args:
        scope: the gateway.
        construct_id: id within the scope.
        encryption_key: encrypts the table. None: a key that AWS owns, which costs nothing.
        point_in_time_recovery: whether the table can be restored to any second of the last 35 days.
        removal_policy: what becomes of the table when the gateway is removed.

    Attributes:
        table: the table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: IKey | None,
        point_in_time_recovery: bool,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._encryption_key = encryption_key
        self.table: dynamodb.ITable = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires",
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if encryption_key else dynamodb.TableEncryption.DEFAULT,
            encryption_key=encryption_key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=point_in_time_recovery,
            ),
            removal_policy=removal_policy,
        )
        Tags.of(self.table).add(TABLE_TAG, gateway_path(scope))

    def access_statements(self) -> list[PolicyStatement]:
        """What the function must be allowed: to read states, to count, and to open the table where the key is the user's own.

        The key is used by DynamoDB in the function's name, to decrypt the table's own key; it needs nothing else of it, neither
        for reading nor for writing. The permission is in the role, not in the key's policy, which has to let the account's
        policies decide, as those of the CDK do.
        """
        return [
            PolicyStatement(actions=["dynamodb:Query", "dynamodb:UpdateItem"], resources=[self.table.table_arn]),
            *self._key_statements(),
        ]

    def limits_statements(self) -> list[PolicyStatement]:
        """What it takes to write consumers' limits, and nothing that the gateway knows of its upstreams."""
        return [
            PolicyStatement(
                actions=["dynamodb:PutItem", "dynamodb:DeleteItem"],
                resources=[self.table.table_arn],
                conditions={
                    "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{USAGE_PARTITION}*"]},
                    # A request that named no key would have none that is another.
                    "Null": {"dynamodb:LeadingKeys": "false"},
                },
            ),
            *self._key_statements(),
        ]

    def _key_statements(self) -> list[PolicyStatement]:
        if self._encryption_key is None:
            return []
        return [
            PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[self._encryption_key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"dynamodb.{Stack.of(self).region}.amazonaws.com"}},
            ),
        ]


def require_table_for(*, resilience: bool, point_in_time_recovery: bool, consumer_limits: bool | None) -> None:
    """A prop of a table that there is not would be dropped silently.

    Raises:
        ValueError: if so.
    """
    given = {"point_in_time_recovery": point_in_time_recovery, "consumer_limits": consumer_limits}
    for name, value in given.items():
        if value and not resilience:
            raise ValueError(f"{name}=True needs the table, which resilience=False leaves out; leave one of them out")
