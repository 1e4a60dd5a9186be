"""What every command on budgets begins with: the gateway, its keys, its table, and whether it heeds limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_cli.aws.configurations import LiveVersion, UnknownConfigurationError, read_live_versions
from gateway_cli.aws.tables import find_table
from gateway_cli.aws.where import Where
from gateway_cli.budgets.standing import Standing, standing
from gateway_cli.budgets.store import BudgetStore
from gateway_cli.console import Output
from gateway_cli.keys.desk import KeyDesk, open_desk
from gateway_cli.keys.model import ClientKey
from lambda_runtime.config import LIMITS_VARIABLE

_TURN_ON = 'deploy it with consumer_limits=True, or with a plan that has limits (in cdk.json: "consumer_limits": true)'


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetDesk:
    """An operator's place at the limits of one gateway's consumers.

    Args:
        keys: the place at its keys.
        store: reads and writes limits.
        versions: those of its function that take requests; empty if they cannot be read.
    """

    keys: KeyDesk
    store: BudgetStore
    versions: Sequence[LiveVersion]

    @property
    def heeded(self) -> bool:
        """Whether limits hold: every version that takes requests reads them."""
        if not self.versions:
            return bool(self.keys.gateway.limits)
        return all(version.variables.get(LIMITS_VARIABLE) == "1" for version in self.versions)

    def warn_if_not_heeded(self) -> None:
        """Say that limits do not hold, and how they would."""
        if self.heeded:
            return
        some = any(version.variables.get(LIMITS_VARIABLE) == "1" for version in self.versions)
        if some:
            self.keys.notes.notice(
                "a version of the function that takes requests does not read limits yet, so that they hold for a part of the "
                "requests only; they hold for all when the release is over ('ai-gateway release status')"
            )
        else:
            self.keys.notes.notice(f"this gateway does not read limits, so that none holds; {_TURN_ON}")

    def standings(self, keys: Sequence[ClientKey]) -> list[Standing]:
        """How keys stand, in their order.

        Raises:
            ClientError: if AWS refuses to tell.
        """
        stored = self.store.read([key.id for key in keys])
        return [standing(key, stored[key.id], self.store.clock()) for key in keys]


def open_budgets(where: Where, notes: Output) -> BudgetDesk:
    """Find the gateway and its table.

    Raises:
        CommandError: if it cannot be told which one is meant, or it has no table.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    keys = open_desk(where, notes)
    name = where.table or keys.gateway.limits or _found(keys)
    return BudgetDesk(keys=keys, store=BudgetStore(keys.connection.client("dynamodb"), name), versions=_live_versions(keys))


def _found(keys: KeyDesk) -> str:
    return find_table(keys.connection, table=None, stack=keys.where.stack, gateway=keys.gateway.path).name


def _live_versions(keys: KeyDesk) -> Sequence[LiveVersion]:
    if not keys.gateway.function:
        return ()
    try:
        return read_live_versions(keys.connection, keys.gateway.function)
    except UnknownConfigurationError as error:
        keys.notes.notice(f"what the gateway is configured with cannot be read, so that limits are not checked by it: {error}")
        return ()
