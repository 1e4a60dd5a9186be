"""What ends a command before its time, in words for its user, and the exit status that it ends with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own, which is no OSError
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from rich.console import Console

from gateway_cli.aws.permissions import PERMISSIONS
from gateway_cli.console import Output

FAILED = 1
"""Exit status where something that was asked for cannot be done."""

MISTAKEN = 2
"""Exit status where what was asked for makes no sense: an unknown name, a malformed value. typer's own for its options."""

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedException", "UnauthorizedOperation"})

_LOCAL = "or use --local for a gateway on this machine"
_WAYS_OUT: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    ((NoCredentialsError, SSOError, TokenRetrievalError), f"; sign in, name a profile with --profile, {_LOCAL}"),
    ((NoRegionError,), f"; name it with --region or AWS_REGION, {_LOCAL}"),
    ((ProfileNotFound,), "; the profiles are in ~/.aws/config"),
    ((ConnectionError, HTTPClientError), "; is the Region right, and is there a way to the network?"),
)


class CommandError(Exception):
    """A command cannot do what it is asked for; the message says why and what to do.

    Args:
        message: for the user.
        status: exit status.
    """

    def __init__(self, message: str, *, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def reported(output: Output) -> Iterator[None]:
    """End the command with a sentence and an exit status where something inside cannot be done."""
    try:
        yield
    except CommandError as error:
        output.error(str(error))
        raise typer.Exit(error.status) from None
    except (BotoCoreError, ClientError) as error:
        output.error(explain(error))
        raise typer.Exit(FAILED) from None


@contextmanager
def command_notes() -> Iterator[Output]:
    """The same for a command whose result goes to standard output: everything else is said beside it, on standard error.

    Yields:
        What takes it. With `--json`, standard output is JSON alone.
    """
    notes = Output(console=Console(stderr=True, highlight=False, soft_wrap=True))
    with reported(notes):
        yield notes


def is_denied(error: ClientError) -> bool:
    """Whether AWS says that the caller may not do this."""
    return error.response.get("Error", {}).get("Code") in _DENIED


def explain(error: BotoCoreError | ClientError) -> str:
    """What is wrong with a call of AWS, and the way out."""
    if isinstance(error, ClientError):
        if is_denied(error):
            missing = PERMISSIONS.get(error.operation_name)
            needed = f"it takes {missing}; " if missing else ""
            return f"AWS does not allow that: {error}; {needed}docs/operations.md lists the permissions that operators need"
        expired = error.response.get("Error", {}).get("Code") in _EXPIRED
        way_out = "; these credentials do not hold (any more): sign in again, or name others with --profile" if expired else ""
        return f"AWS refuses that: {error}{way_out}"
    way_out = next((way_out for kinds, way_out in _WAYS_OUT if isinstance(error, kinds)), "")
    return f"AWS cannot be asked: {str(error).rstrip('.')}{way_out}"
