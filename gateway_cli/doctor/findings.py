"""What checks find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.aws.permissions import PERMISSIONS
from gateway_cli.errors import CommandError, explain, is_denied


class Level(StrEnum):
    """What a finding means."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and nothing to mend."""

    SKIPPED = "skipped"
    """It could not be looked at."""

    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Args:
        level: what it means.
        subject: what it is about, as in `holysheep` or `version 8`; empty where the check has one subject.
        text: what was found.
        mend: commands, or words where no command does it, one after the other. Default: nothing.
        check: name of the check. Set by `examined`.
    """

    level: Level
    subject: str
    text: str
    mend: tuple[str, ...] = ()
    check: str = ""


class UnknownFactError(Exception):
    """Something that a check depends on is not there or cannot be read; the message says why."""


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str, *mend: str) -> Finding:
    """Worth knowing."""
    return Finding(Level.NOTE, subject, text, mend)


def warning(subject: str, text: str, *mend: str) -> Finding:
    """It works, and may not for long."""
    return Finding(Level.WARNING, subject, text, mend)


def error(subject: str, text: str, *mend: str) -> Finding:
    """It does not work."""
    return Finding(Level.ERROR, subject, text, mend)


def skipped(subject: str, text: str) -> Finding:
    """It could not be looked at."""
    return Finding(Level.SKIPPED, subject, text)


def guarded(found: Iterable[Finding], subject: str = "") -> Iterator[Finding]:
    """The findings, and in the place of an exception one that says what could not be looked at.

    Args:
        found: findings as they are made.
        subject: what they are about.
    """
    try:
        yield from found
    except ClientError as problem:
        yield skipped(subject, _refusal(problem))
    except BotoCoreError as problem:
        yield skipped(subject, explain(problem))
    except (CommandError, UnknownFactError) as problem:
        yield skipped(subject, str(problem))


def examined(check: str, found: Iterable[Finding]) -> list[Finding]:
    """Everything that a check finds."""
    return [replace(finding, check=check) for finding in guarded(found)]


def _refusal(problem: ClientError) -> str:
    if not is_denied(problem):
        return explain(problem)
    operation = problem.operation_name
    return f"you lack the permission {PERMISSIONS.get(operation, f'for {operation}')}"
