"""The function's environment variables: the construct's own and the user's, which must not replace them."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk.aws_secretsmanager import ISecret

from lambda_runtime.config import GatewayConfig

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_OWN_PREFIXES = ("UPSTREAM_SECRET_", "AI_GATEWAY_")


def function_environment(
    config: GatewayConfig,
    secrets: Mapping[str, ISecret],
    environment: Mapping[str, str] | None,
) -> dict[str, str]:
    """All of the function's variables.

    Args:
        config: the gateway's configuration.
        secrets: the secret of each upstream that takes a key, by its name.
        environment: the user's.

    Raises:
        ValueError: if the user's replace one of the gateway's own.
    """
    own = {EXEC_WRAPPER: "/var/task/exec-wrapper"}
    own |= {config.upstream(name).secret_variable: secret.secret_arn for name, secret in secrets.items()}
    for name in environment or {}:
        if name in own or name.startswith(_OWN_PREFIXES):
            raise ValueError(
                f"environment: {name!r} is one of the gateway's own variables and cannot be set; {EXEC_WRAPPER} and names that "
                f"start with {' or '.join(_OWN_PREFIXES)} are reserved",
            )
    return {**(environment or {}), **own}
