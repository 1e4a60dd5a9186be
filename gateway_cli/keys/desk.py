"""What every command on keys begins with: the gateway and its usage plans."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import Gateway, api_gateway, find_gateway
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.model import ClientKey, Plan
from gateway_cli.keys.store import KeyStore


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyDesk:
    """An operator's place at the keys of one gateway.

    Args:
        where: how it was found.
        connection: to its account.
        gateway: the gateway.
        store: reads and changes its keys.
        plans: its usage plans.
        notes: takes what the operator should know besides the result.
    """

    where: Where
    connection: Connection
    gateway: Gateway
    store: KeyStore
    plans: Sequence[Plan]
    notes: Output

    def command(self, *words: str) -> str:
        """A further command on this gateway's keys."""
        return f"ai-gateway keys {shlex.join(words)}{replace(self.where, table=None).options}"

    def keys_of(self, name: str) -> tuple[list[ClientKey], list[ClientKey]]:
        """The keys that a name means, and all of their consumer.

        Args:
            name: a key's id or a consumer's name.

        Raises:
            CommandError: if the gateway has neither.
        """
        keys = self.store.keys(self.plans, name)
        # An id goes before a name, should a consumer be called like one.
        chosen = [key for key in keys if key.id == name] or [key for key in keys if key.consumer == name]
        if not chosen:
            raise self._unknown(name)
        return chosen, [key for key in keys if key.consumer == chosen[0].consumer]

    def _unknown(self, name: str) -> CommandError:
        known = {key.consumer for key in self.store.keys(self.plans)}
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.7)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return CommandError(
            f"the gateway has no consumer and no key {name!r}; {hint}{self.command('list')} shows them", status=MISTAKEN
        )


def open_desk(where: Where, notes: Output) -> KeyDesk:
    """Find the gateway.

    Raises:
        CommandError: if it cannot be told which one is meant.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    connection = where.connect()
    apigateway = api_gateway(connection)
    gateway = find_gateway(connection, apigateway, stack=where.stack, gateway=where.gateway)
    notes.line(f"Gateway {gateway.path}, REST API {gateway.api} ({gateway.found})")
    store = KeyStore(apigateway, gateway.api)
    return KeyDesk(where=where, connection=connection, gateway=gateway, store=store, plans=store.plans(), notes=notes)
