"""Makes a key the current one at once, and goes back to the previous one."""

from __future__ import annotations

from gateway_cli.credentials.desk import CredentialDesk
from gateway_cli.credentials.done import FETCHED, Done, current_value, stored
from gateway_cli.credentials.model import CURRENT, PREVIOUS, Credential, State, StoredSecret
from gateway_cli.credentials.rotation import put_aside
from gateway_cli.credentials.staging import require_new
from gateway_cli.credentials.store import BinaryValueError
from gateway_cli.credentials.trying import require_taken
from gateway_cli.credentials.values import with_key
from gateway_cli.errors import CommandError
from gateway_cli.times import duration_of
from lambda_runtime.config.secrets import SERVICE_ACCOUNT_FIELD, STAGED_LABEL, RotationKind
from lambda_runtime.secret_value import key_in


def set_key(desk: CredentialDesk, credential: Credential, secret: StoredSecret, key: str, *, test: bool) -> Done:
    """Make a key the current one.

    Args:
        desk: the gateway's credentials.
        credential: whose key it is.
        secret: where it is kept.
        key: the key.
        test: whether to try it at the upstream first.

    Raises:
        CommandError: if it is the current one, or the upstream does not take it.
    """
    name, field = credential.name, credential.upstream.secret_field
    value = current_value(desk, credential, secret)
    require_new(name, field, value, key)
    if test:
        require_taken(desk, credential, key, otherwise=desk.command("set", name, "--no-test"))
    minted = credential.rotation is not None and credential.rotation.kind is RotationKind.OPENAI_ADMIN
    # Whose key it is not: it would be deleted in place of its own.
    desk.store.set_current(secret, with_key(value, field, key, without=[SERVICE_ACCOUNT_FIELD] if minted else []))
    _tidy(desk, credential, secret, key)
    return Done(name, changed=True, told=(f"The key of {name} is set.", _what_stays(desk, credential), FETCHED))


def revert(desk: CredentialDesk, name: str, *, test: bool) -> Done:
    """Make the previous key the current one again.

    Raises:
        CommandError: if there is none, or the upstream does not take it.
    """
    credential, secret = stored(desk, name)
    current, previous = secret.labelled(CURRENT), secret.labelled(PREVIOUS)
    set_another = f"Set another one: {desk.command('set', name)}"
    if current is None or previous is None:
        raise CommandError(f"{name} has no previous key to go back to. {set_another}")
    try:
        key = key_in(desk.store.value(secret, PREVIOUS), credential.upstream.secret_field)
    except BinaryValueError:
        key = None
    if key is None:
        raise CommandError(f"the previous value of {name} is no key: the placeholder, or none at all. {set_another}")
    if test:
        require_taken(desk, credential, key, otherwise=desk.command("revert", name, "--no-test"))
    if secret.pending:
        put_aside(desk, secret, secret.pending)
    desk.store.make_current(secret, previous, current)
    age = duration_of(desk.store.clock() - previous.created, units=1)
    return Done(
        name,
        changed=True,
        told=(
            f"The key of {name} is the previous one again, which was made {age} ago.",
            f"What was current is the previous one now: {desk.command('revert', name)} brings it back.",
            FETCHED,
        ),
    )


def _tidy(desk: CredentialDesk, credential: Credential, secret: StoredSecret, key: str) -> None:
    """Let no rotation replace the key by what was prepared before it."""
    if secret.pending:
        put_aside(desk, secret, secret.pending)
    staged = credential.staged
    if staged is None:
        return
    try:
        is_same = key_in(desk.store.value(secret, STAGED_LABEL), credential.upstream.secret_field) == key
    except BinaryValueError:
        is_same = False
    if is_same:
        desk.store.drop(secret, STAGED_LABEL, staged.id)
        desk.notes.line("It was staged; nothing is staged any more.")
    else:
        desk.notes.notice(
            f"another key is staged for {credential.name}, and the next rotation takes it; to take it away: "
            f"{desk.command('unstage', credential.name)}"
        )


def _what_stays(desk: CredentialDesk, credential: Credential) -> str:
    if credential.state is State.SET:
        return (
            f"The old one stays in the secret as the previous one; to go back to it: {desk.command('revert', credential.name)}"
        )
    return "It is the first one: there was no key before."
