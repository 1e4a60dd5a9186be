"""What the commands that change something tell, and what they must make sure of first."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_cli.credentials.desk import CredentialDesk
from gateway_cli.credentials.model import Credential, State, StoredSecret
from gateway_cli.errors import MISTAKEN, CommandError

FETCHED = (
    "Function instances fetch the current key when they start, and when the upstream refuses the one that they have: no "
    "deployment, no lost request."
)


@dataclass(frozen=True, slots=True)
class Done:
    """What has become of an upstream's key.

    Args:
        upstream: its name.
        changed: whether it was otherwise before.
        told: that in sentences.
    """

    upstream: str
    changed: bool
    told: tuple[str, ...]


def left_out_here(desk: CredentialDesk) -> str:
    """A sentence on rotations that the app may well have and a local gateway has not; empty elsewhere."""
    if not desk.rotations.embedded:
        return ""
    return (
        "If the app gives the upstream Rotation.openai_admin(), that is left out in this local gateway, where nobody stands in "
        "for OpenAI's administration API: it mints keys in AWS, and there is nothing to stage. "
    )


def stored(desk: CredentialDesk, name: str) -> tuple[Credential, StoredSecret]:
    """An upstream whose key is in a secret.

    Raises:
        CommandError: if it is not, or there is no such upstream.
    """
    credential = desk.credential(name)
    if credential.state is State.FEDERATED:
        raise CommandError(
            f"{name} has no stored key: it gets short-lived tokens from the provider, as its federation in the app says",
            status=MISTAKEN,
        )
    if credential.state is State.KEYLESS:
        raise CommandError(f"{name} takes no key (auth=AuthStyle.NONE in the app)", status=MISTAKEN)
    if credential.secret is None:
        raise CommandError(f"{name} has no secret: {credential.why}; deploy the gateway's stack once more")
    return credential, credential.secret


def current_value(desk: CredentialDesk, credential: Credential, secret: StoredSecret) -> str | None:
    """The current value, which is needed to keep what else is in it. None: there is none.

    Raises:
        CommandError: if it is not to be had.
    """
    if credential.state is State.UNREADABLE:
        raise CommandError(
            f"the secret of {credential.name} cannot be read, so that what else is in it could not be kept: {credential.why}; "
            "it takes secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key if that is your own"
        )
    if credential.state is State.BINARY:
        raise CommandError(f"the secret of {credential.name} holds bytes; put text there once, with the AWS CLI")
    return desk.store.value(secret)
