"""Log groups, and the permissions around them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Annotations, ArnFormat, RemovalPolicy, Stack
from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import LogGroup, RetentionDays
from constructs import Construct


@dataclass(frozen=True, kw_only=True, slots=True)
class LogOptions:
    """What all log groups of a gateway have in common."""

    retention: RetentionDays
    removal_policy: RemovalPolicy
    encryption_key: IKey | None

    def log_group(self, scope: Construct, construct_id: str) -> LogGroup:
        """Create a log group with these options."""
        return LogGroup(
            scope,
            construct_id,
            retention=self.retention,
            removal_policy=self.removal_policy,
            encryption_key=self.encryption_key,
        )


def write_statement(log_group: LogGroup) -> PolicyStatement:
    """Permission to write into one log group: a log group's ARN stands for its streams."""
    return PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[log_group.log_group_arn],
    )


def allow_logs(scope: Construct, key: IKey) -> None:
    """Let CloudWatch Logs use a key, for log groups of this account and Region.

    The condition cannot name the log groups: their names are generated, so that each would depend on the key and the key on
    each. An imported key's policy cannot be changed from here, which is a warning.
    """
    stack = Stack.of(scope)
    log_groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    result = key.add_to_resource_policy(
        PolicyStatement(
            sid="CloudWatchLogs",
            principals=[ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        ),
        allow_no_op=True,
    )
    if not result.statement_added:
        Annotations.of(scope).add_warning_v2(
            "cdk-ai-gateway:imported-key",
            "encryption_key is imported, so its policy cannot be extended here; it must let logs.<region>.amazonaws.com use it "
            "for this account's log groups, else the deployment fails",
        )
