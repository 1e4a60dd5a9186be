"""Limits of new keys: budgets and models, which hold for each key apart, so that a key beside another needs its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.budgets.standing import limits_of
from gateway_cli.budgets.store import BudgetStore
from gateway_cli.budgets.words import Change, told
from gateway_cli.errors import CommandError
from gateway_cli.keys.desk import KeyDesk
from gateway_cli.keys.model import ClientKey
from lambda_runtime.config.limits import ConsumerLimits


@dataclass(frozen=True, slots=True)
class NewLimits:
    """Limits that a new key is to have.

    Args:
        store: writes them; None where the gateway reads none.
        limits: what the key may use.
    """

    store: BudgetStore | None = None
    limits: ConsumerLimits = field(default_factory=ConsumerLimits)

    @property
    def told(self) -> str:
        """What follows the plan's limits in a sentence."""
        return "" if self.limits.unlimited else f"; {told(self.limits)}"

    def write(self, key: str) -> None:
        """Have them hold, before the key opens anything.

        Args:
            key: the new key's id.

        Raises:
            ClientError: if AWS refuses.
        """
        if self.store is not None and not self.limits.unlimited:
            self.store.write(key, self.limits.to_json())


def new_limits(desk: KeyDesk, sources: Sequence[ClientKey], change: Change | None = None) -> NewLimits:
    """The limits of a key that is about to be made.

    Args:
        desk: the gateway's keys.
        sources: keys whose limits it gets; the first one that a stack made, or else the last. Empty: none.
        change: what was typed. Default: nothing.

    Raises:
        CommandError: if what was typed makes no sense, or the gateway reads no limits.
        ClientError: if AWS refuses to tell those of the other key.
    """
    change = change or Change()
    if not desk.gateway.limits:
        if not change.nothing:
            raise CommandError(
                "this gateway does not read limits, so that the key's would not hold and it was not made; deploy the gateway "
                'with consumer_limits=True (in cdk.json: "consumer_limits": true)'
            )
        return NewLimits()
    store = BudgetStore(desk.connection.client("dynamodb"), desk.gateway.limits)
    source = next((key for key in sources if not key.own), sources[-1] if sources else None)
    limits: ConsumerLimits | None = ConsumerLimits()
    if source is not None:
        limits = limits_of(store.read([source.id])[source.id].limits)
    if limits is None and source is not None:
        raise CommandError(
            f"the limits of the key {source.id}, which the new one is to get, make no sense; set them first: "
            f"ai-gateway budgets set {source.id}"
        )
    return NewLimits(store, change.applied(limits or ConsumerLimits()))


def forget_limits(desk: KeyDesk, key: ClientKey) -> None:
    """Delete the limits of a key that is no more.

    Args:
        desk: the gateway's keys.
        key: the key.
    """
    if not desk.gateway.limits:
        return
    try:
        BudgetStore(desk.connection.client("dynamodb"), desk.gateway.limits).forget(key.id)
    except (BotoCoreError, ClientError) as error:
        desk.notes.notice(f"its limits are left in the table {desk.gateway.limits}, where they limit nobody: {error}")
