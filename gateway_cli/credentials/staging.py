"""Puts the next key beside the current one, and takes it away again."""

from __future__ import annotations

from gateway_cli.credentials.desk import CredentialDesk
from gateway_cli.credentials.done import Done, current_value, left_out_here, stored
from gateway_cli.credentials.model import Credential, State, StoredSecret
from gateway_cli.credentials.store import BinaryValueError
from gateway_cli.credentials.values import placeholder_key, with_key
from gateway_cli.errors import CommandError
from gateway_cli.times import clock_time, duration_of
from lambda_runtime.config.secrets import STAGED_LABEL
from lambda_runtime.secret_value import key_in


def stageable(desk: CredentialDesk, name: str) -> tuple[Credential, StoredSecret]:
    """An upstream whose next key the operator brings.

    Raises:
        CommandError: if there is none of that name, or its key is not rotated so.
    """
    credential, secret = stored(desk, name)
    if credential.is_staged_kind:
        return credential, secret
    by_hand = f"To make a key the current one at once: {desk.command('set', name)}"
    if credential.rotation is None:
        whose = f"is rotated by {secret.rotation_function or 'another function'}, not by the gateway" if secret.rotated else ""
        left_out = "" if whose else left_out_here(desk)
        raise CommandError(
            f"the key of {name} {whose or 'is not rotated'}, so that nobody would take what is staged. {by_hand}. {left_out}To "
            "have it rotated, give the upstream rotation=Rotation.staged() in the app, and deploy"
        )
    if not secret.rotated:
        raise CommandError(
            f"the rotation of {name} is switched off at Secrets Manager, so that nobody would take what is staged; deploy the "
            f"gateway's stack to switch it on. {by_hand}"
        )
    raise CommandError(
        f"the next key of {name} is minted at the provider, nothing needs to be staged. To have that done now: "
        f"{desk.command('rotate', name)}"
    )


def stage(desk: CredentialDesk, credential: Credential, secret: StoredSecret, key: str) -> Done:
    """Put the next key beside the current one.

    Args:
        desk: the gateway's credentials.
        credential: whose key it is.
        secret: where it is kept.
        key: the key.

    Raises:
        CommandError: if it is the current one, or there is none to put it beside.
    """
    name, field = credential.name, credential.upstream.secret_field
    value = current_value(desk, credential, secret)
    if credential.state is State.EMPTY:
        # Secrets Manager makes a first version the current one, whatever label it is given.
        raise CommandError(
            f"{name} has no current key to stage another one beside; set the first one: {desk.command('set', name)}"
        )
    require_new(name, field, value, key)
    staged = credential.staged
    if staged and _staged_key(desk, secret, field) == key:
        return Done(name, changed=False, told=(f"That key is staged for {name} already, since {_ago(desk, staged.created)}.",))
    desk.store.stage(secret, with_key(value, field, key))
    instead = f", in place of the one that was staged {_ago(desk, staged.created)}" if staged else ""
    return Done(name, changed=True, told=(f"The next key of {name} is staged{instead}. Nothing uses it yet.",))


def when(desk: CredentialDesk, credential: Credential, secret: StoredSecret) -> str:
    """When what is staged will be taken."""
    now = f"To do it now: {desk.command('rotate', credential.name)}"
    if desk.rotations.embedded:
        return f"A local gateway rotates nothing by itself. {now}"
    if secret.next_rotation is None:
        return f"When it is rotated, Secrets Manager does not tell. {now}"
    left = secret.next_rotation - desk.store.clock()
    due = f"by {clock_time(secret.next_rotation, desk.store.clock())}"
    return f"It is tested at the upstream and becomes the current one {due}" + (
        f", in {duration_of(left, units=1)} at the latest. {now}" if left > 0 else f", which is over. {now}"
    )


def unstage(desk: CredentialDesk, name: str) -> Done:
    """Take the next key away.

    Raises:
        CommandError: if there is no such upstream, or its key is not stored.
    """
    credential, secret = stored(desk, name)
    staged = credential.staged
    if staged is None:
        return Done(name, changed=False, told=(f"Nothing is staged for {name}.",))
    desk.store.drop(secret, STAGED_LABEL, staged.id)
    stage_another = f"To stage another one: {desk.command('stage', name)}"
    return Done(
        name, changed=True, told=(f"Nothing is staged for {name} any more; the current key is as it was.", stage_another)
    )


def require_new(name: str, field: str, value: str | None, key: str) -> None:
    """Refuse a key that is there already, or none.

    Args:
        name: of the upstream.
        field: of the secret's object that holds the key.
        value: the current one.
        key: what was given.

    Raises:
        CommandError: if it is.
    """
    if key == key_in(value, field):
        raise CommandError(f"that is the key that {name} has already; make another one at the provider")
    if key == placeholder_key(value, field):
        raise CommandError("that is the placeholder that the deployment put there; a key comes from the provider")


def _staged_key(desk: CredentialDesk, secret: StoredSecret, field: str) -> str | None:
    try:
        return key_in(desk.store.value(secret, STAGED_LABEL), field)
    except BinaryValueError:
        return None


def _ago(desk: CredentialDesk, moment: float) -> str:
    return f"{duration_of(desk.store.clock() - moment, units=1)} ago"
