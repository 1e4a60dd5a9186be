"""Has a key rotated now."""

from __future__ import annotations

from gateway_cli.credentials.desk import CredentialDesk
from gateway_cli.credentials.done import FETCHED, Done, left_out_here, stored
from gateway_cli.credentials.model import PENDING, Credential, StoredSecret, Version
from gateway_cli.credentials.store import BinaryValueError
from gateway_cli.errors import CommandError
from gateway_cli.times import duration_of
from lambda_runtime.config.secrets import STAGED_LABEL, RotatedSecret
from lambda_runtime.secret_value import key_in


def rotate(desk: CredentialDesk, name: str, *, wait: bool, again: bool) -> Done:
    """Rotate an upstream's key.

    Args:
        desk: the gateway's credentials.
        name: of the upstream.
        wait: whether to wait for the end.
        again: whether to put aside what seems to be under way.

    Raises:
        CommandError: if it is not rotated, there is nothing to rotate to, or the rotation fails.
    """
    credential, secret = stored(desk, name)
    rotation = _rotation_of(desk, credential, secret)
    pending = secret.pending
    if pending and not again and not desk.rotations.rotating.is_abandoned(pending):
        age = duration_of(desk.store.clock() - pending.created, units=1)
        desk.notes.notice(
            f"a rotation of {name} has been under way for {age}; it is not begun anew. If it hangs: "
            f"{desk.command('rotate', name, '--again')}"
        )
        version = pending.id
    else:
        if credential.is_staged_kind:
            _require_staged(desk, credential, secret)
        if pending:
            put_aside(desk, secret, pending)
        version = desk.rotations.rotating.begin(secret, rotation)
    if not wait and not desk.rotations.embedded:
        status = desk.command("status", name)
        return Done(name, changed=True, told=(f"The rotation of {name} is under way. To see what has become of it: {status}",))
    desk.notes.line(f"Rotating the key of {name}: it is tested at the upstream before it becomes the current one.")
    desk.rotations.rotating.wait(secret, rotation, version)
    return Done(
        name,
        changed=True,
        told=(
            f"The key of {name} is rotated: the new one was taken by the upstream, and is the current one.",
            f"The old one stays in the secret as the previous one ({desk.command('revert', name)} brings it back). {FETCHED}",
        ),
    )


def put_aside(desk: CredentialDesk, secret: StoredSecret, pending: Version) -> None:
    """Let what a rotation has left behind not become the current one any more. As long as it may, no other can begin."""
    desk.store.drop(secret, PENDING, pending.id)
    age = duration_of(desk.store.clock() - pending.created, units=1)
    desk.notes.notice(f"a rotation that began {age} ago and did not come to its end is put aside")


def _rotation_of(desk: CredentialDesk, credential: Credential, secret: StoredSecret) -> RotatedSecret:
    name = credential.name
    by_hand = f"To make a key the current one at once: {desk.command('set', name)}"
    if credential.rotation is None:
        if secret.rotated:
            raise CommandError(
                f"the key of {name} is rotated by {secret.rotation_function or 'another function'}, not by the gateway; begin "
                f"that rotation with: aws secretsmanager rotate-secret --secret-id {secret.id}"
            )
        raise CommandError(
            f"the key of {name} is not rotated. {by_hand}. {left_out_here(desk)}To have it rotated, give the upstream a "
            "rotation and deploy"
        )
    if not secret.rotated:
        raise CommandError(
            f"the rotation of {name} is switched off at Secrets Manager; deploy the gateway's stack to switch it on. {by_hand}"
        )
    return credential.rotation


def _require_staged(desk: CredentialDesk, credential: Credential, secret: StoredSecret) -> None:
    """Refuse a rotation that is bound to fail, and would leave an alarm behind."""
    name, field = credential.name, credential.upstream.secret_field
    stage = f"stage one: {desk.command('stage', name)}"
    if credential.staged is None:
        raise CommandError(f"no next key is staged for {name}; {stage}")
    try:
        staged = key_in(desk.store.value(secret, STAGED_LABEL), field)
        current = key_in(desk.store.value(secret), field)
    except BinaryValueError:
        return
    if staged is not None and staged == current:
        raise CommandError(f"what is staged for {name} is the key that it has already; {stage}")
