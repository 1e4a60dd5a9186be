"""What all function instances know together: which upstreams are well, and who has used how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambda_runtime.config import LIMITS_VARIABLE, TABLE_VARIABLE
from lambda_runtime.state.target_states import NoStates, TargetStates

if TYPE_CHECKING:
    import httpx

    from lambda_runtime.aws_credentials import AwsCredentialsSource
    from lambda_runtime.state.allowances import Allowances
    from lambda_runtime.state.usage_counts import UsageCounts


def connect(
    environ: Mapping[str, str], transport: httpx.BaseTransport, aws_credentials: AwsCredentialsSource
) -> tuple[TargetStates, UsageCounts | None]:
    """The shared state that the environment names. Nothing is asked of it yet.

    Args:
        environ: environment variables.
        transport: sends requests to the table.
        aws_credentials: whose rights are used.

    Returns:
        The states of targets and the consumers' usage; of a gateway without table, states that are always closed, and None.
    """
    table = environ.get(TABLE_VARIABLE)
    if not table:
        return NoStates(), None
    # Only gateways with a table pay for these.
    from lambda_runtime.state.dynamodb import DynamoDb  # noqa: PLC0415
    from lambda_runtime.state.shared_states import SharedStates  # noqa: PLC0415
    from lambda_runtime.state.table_health import TableHealth  # noqa: PLC0415
    from lambda_runtime.state.usage_counts import UsageCounts  # noqa: PLC0415

    client = DynamoDb(transport, environ, aws_credentials, table)
    health = TableHealth()
    return SharedStates(client, health), UsageCounts(client, health)


def connect_allowances(environ: Mapping[str, str], usage_counts: UsageCounts | None) -> Allowances | None:
    """What consumers may use, if the environment says that some may have limits. Nothing is asked of the table yet.

    Args:
        environ: environment variables.
        usage_counts: where it is counted what they use, in the table that has their limits. None: there is no table.
    """
    if usage_counts is None or environ.get(LIMITS_VARIABLE) != "1":
        return None
    from lambda_runtime.state.allowances import Allowances  # noqa: PLC0415  only gateways with limits pay for it

    return Allowances(usage_counts.table, usage_counts.health, usage_counts)
