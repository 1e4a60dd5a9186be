"""The upstreams' credentials: a secret each, and the least that the function needs to read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from aws_cdk import RemovalPolicy, Stack
from aws_cdk.aws_iam import PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_secretsmanager import ISecret, Secret, SecretStringGenerator
from constructs import Construct

from gateway_construct.upstream import Upstream
from lambda_runtime.config import PLACEHOLDER_FIELD


class UpstreamSecrets(Construct):
    """A secret for each upstream that takes a key: the one handed in, or a new one with a placeholder.

    A new secret holds `{"placeholder": true, "<secret_field>": "<random>"}`, so that no value is ever in a template. The
    operator puts the real key in its place; the secret outlives the gateway.

    Attributes:
        by_upstream: the secrets by the upstream's name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        upstreams: Sequence[Upstream],
        encryption_key: IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.by_upstream: Mapping[str, ISecret] = MappingProxyType(
            {
                upstream.name: upstream.secret or self._placeholder(upstream, encryption_key)
                for upstream in upstreams
                if upstream.config.needs_key
            },
        )

    def read_statements(self) -> list[PolicyStatement]:
        """What the function must be allowed: to read these secrets, and to decrypt them where the key is the user's own."""
        secrets = list(self.by_upstream.values())
        if not secrets:
            return []
        return [
            secrets_statement(secrets, "secretsmanager:GetSecretValue"),
            *key_statements(self, secrets, "kms:Decrypt"),
        ]

    def _placeholder(self, upstream: Upstream, encryption_key: IKey | None) -> Secret:
        return Secret(
            self,
            upstream.name,
            description=f"API key of the AI gateway's upstream {upstream.name}",
            encryption_key=encryption_key,
            generate_secret_string=SecretStringGenerator(
                secret_string_template=f'{{"{PLACEHOLDER_FIELD}":true}}',
                generate_string_key=upstream.config.secret_field,
                exclude_punctuation=True,
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )


def secrets_statement(secrets: Iterable[ISecret], *actions: str) -> PolicyStatement:
    """Permission to do something with secrets."""
    return PolicyStatement(actions=list(actions), resources=_unique(policy_arn(secret) for secret in secrets))


def key_statements(scope: Construct, secrets: Iterable[ISecret], *actions: str) -> list[PolicyStatement]:
    """Permission to let Secrets Manager use the secrets' keys, where they are the user's own."""
    keys = _unique(secret.encryption_key.key_arn for secret in secrets if secret.encryption_key)
    if not keys:
        return []
    return [
        PolicyStatement(
            actions=list(actions),
            resources=keys,
            conditions={"StringEquals": {"kms:ViaService": f"secretsmanager.{Stack.of(scope).region}.amazonaws.com"}},
        )
    ]


def policy_arn(secret: ISecret) -> str:
    """What stands for a secret in a policy."""
    # Secrets Manager ends an ARN with six random characters, which are unknown where a secret was imported by its name. The
    # pattern matches exactly them, and no other secret whose name begins with this one's.
    return secret.secret_full_arn or f"{secret.secret_arn}-??????"


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
