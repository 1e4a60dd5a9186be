"""What every command on credentials begins with: the gateway, its upstreams, and where their keys are."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from gateway_cli.aws.configurations import UnknownConfigurationError, read_live_versions
from gateway_cli.aws.gateways import api_gateway, find_gateway
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.credentials.model import Credential, State, StoredSecret
from gateway_cli.credentials.rotations import Rotations, read_rotations
from gateway_cli.credentials.store import BinaryValueError, SecretStore
from gateway_cli.credentials.values import BURNT, looks_like_key, placeholder_key
from gateway_cli.errors import MISTAKEN, CommandError, is_denied
from gateway_cli.local.rotation import secret_here
from lambda_runtime.config import UpstreamConfig
from lambda_runtime.secret_value import SecretProblem, key_from_secret

_UNDECIPHERED = "DecryptionFailure"


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialDesk:
    """An operator's place at the upstreams' keys of one gateway.

    Args:
        where: how it was found.
        gateway: path of its construct.
        upstreams: by name, those of the version that takes most requests first.
        secrets: ids of their secrets, by name; none for one that the function was told no secret of.
        rotations: how they are rotated.
        store: reads and changes them.
        notes: takes what the operator should know besides the result.
    """

    where: Where
    gateway: str
    upstreams: Mapping[str, UpstreamConfig]
    secrets: Mapping[str, str]
    rotations: Rotations
    store: SecretStore
    notes: Output

    def command(self, *words: str) -> str:
        """A further command on this gateway's credentials."""
        return f"ai-gateway credentials {shlex.join(words)}{replace(self.where, table=None).options}"

    def credential(self, name: str) -> Credential:
        """What is known of an upstream's key.

        Raises:
            CommandError: if the gateway has no such upstream.
            ClientError: if AWS refuses to tell.
        """
        upstream = self.upstreams.get(name)
        if upstream is None:
            raise self._unknown(name)
        if not upstream.needs_key:
            return Credential(upstream=upstream, state=State.FEDERATED if upstream.federation else State.KEYLESS)
        secret_id = self.secrets.get(name)
        if secret_id is None:
            return Credential(upstream=upstream, state=State.MISSING, why="the function was told of none")
        rotation = self.rotations.of(name, secret_id)
        secret = self.store.find(secret_here(self.store.client, secret_id) if self.rotations.embedded else secret_id)
        if secret is None:
            return Credential(upstream=upstream, state=State.MISSING, why=f"there is no {secret_id}", rotation=rotation)
        state, why = self._state(secret, upstream)
        return Credential(upstream=upstream, state=state, why=why, secret=secret, rotation=rotation)

    def _state(self, secret: StoredSecret, upstream: UpstreamConfig) -> tuple[State, str]:
        try:
            value = self.store.value(secret)
        except BinaryValueError:
            return State.BINARY, "it holds bytes, not text"
        except ClientError as error:
            if not is_denied(error) and error.response["Error"].get("Code") != _UNDECIPHERED:
                raise
            return State.UNREADABLE, str(error)
        if value is None:
            return State.EMPTY, "it has no value"
        return _judged(value, secret.name, upstream.secret_field)

    def _unknown(self, name: str) -> CommandError:
        """What was given is not repeated: it may be a key."""
        close = difflib.get_close_matches(name, self.upstreams, n=1, cutoff=0.7)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        burnt = "" if close or not looks_like_key(name) else f". {BURNT}"
        return CommandError(
            f"the gateway has no upstream of that name{hint} (its upstreams: {', '.join(self.upstreams)}){burnt}",
            status=MISTAKEN,
        )


def _judged(value: str, secret: str, field: str) -> tuple[State, str]:
    """What a value is, and what is wrong with it."""
    if placeholder_key(value, field) is not None:
        return State.PLACEHOLDER, ""
    try:
        key_from_secret(value, secret, field)
    except SecretProblem as problem:
        return State.UNUSABLE, str(problem).partition(";")[0]
    return State.SET, ""


def open_desk(where: Where, notes: Output) -> CredentialDesk:
    """Find the gateway.

    Raises:
        CommandError: if it cannot be told which one is meant, or what it is made of.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    connection = where.connect()
    gateway = find_gateway(connection, api_gateway(connection), stack=where.stack, gateway=where.gateway)
    notes.line(f"Gateway {gateway.path}, REST API {gateway.api} ({gateway.found})")
    if not gateway.function:
        raise CommandError(f"the REST API {gateway.api} does not name its function; deploy the gateway's stack once more")
    try:
        versions = read_live_versions(connection, gateway.function)
    except UnknownConfigurationError as error:
        raise CommandError(
            f"what the gateway is made of is not known: {error}. It takes the permissions lambda:GetAlias and "
            "lambda:GetFunction, and this command in the version with which the gateway was deployed"
        ) from None
    # During a release there are two; the one that is to come may have an upstream whose first key is yet to be set.
    upstreams: dict[str, UpstreamConfig] = {}
    secrets: dict[str, str] = {}
    for version in versions:
        for upstream in version.config.upstreams:
            upstreams.setdefault(upstream.name, upstream)
            secret = version.variables.get(upstream.secret_variable)
            if secret:
                secrets.setdefault(upstream.name, secret)
    store = SecretStore(connection.client("secretsmanager"))
    return CredentialDesk(
        where=where,
        gateway=gateway.path,
        upstreams=upstreams,
        secrets=secrets,
        rotations=read_rotations(connection, gateway, store, where),
        store=store,
        notes=notes,
    )
