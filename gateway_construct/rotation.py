"""Rotations: how an upstream's key is replaced by schedule, and where the next one comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from aws_cdk import Duration, Token
from aws_cdk.aws_secretsmanager import ISecret

from gateway_construct.interfaces import offers
from lambda_runtime.config import UpstreamConfig
from lambda_runtime.config.secrets import SERVICE_ACCOUNT_FIELD, RotationKind

_SHORTEST_HOURS, _LONGEST_HOURS = 4, 999 * 24
"""What Secrets Manager takes."""

_DEFAULT_EVERY_HOURS, _DEFAULT_NOTICE_HOURS = 30 * 24, 7 * 24
_DAY = 24
_PROJECT = re.compile(r"proj_[A-Za-z0-9_-]+")
_OPENAI = "api.openai.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """How an upstream's key is replaced by schedule. Made by `staged` or `openai_admin`.

    Secrets Manager calls a function of the gateway, which puts the next key beside the current one, tries it at the upstream,
    and only then makes it the current one. The previous key stays valid, so that no request is lost. What fails leaves the
    current key as it is, and an alarm says so.

    The secret is the gateway's own or one handed in, of the same account and Region. One that is imported must not have a
    rotation already, its resource policy must not forbid the function's role what the role is allowed, and its `encryption_key`
    must be known if it is the user's, so that the function may use it. One imported by its name is found by that name's ARN.

    Args:
        kind: where the next key comes from.
        every: how often.
        notice: how long ahead of the due date an alarm says that nothing is staged. Default: it never does.
        project: OpenAI's project, for `openai_admin`. Default: none.
        admin_secret: holds OpenAI's admin key, for `openai_admin`. Default: none.

    Raises:
        ValueError: if a value is out of its range.
    """

    kind: RotationKind
    every: Duration
    notice: Duration | None = None
    project: str | None = None
    admin_secret: ISecret | None = None

    def __post_init__(self) -> None:
        where = f"rotation {self.kind.value}"
        hours = _hours(where, "every", self.every)
        if not _SHORTEST_HOURS <= hours <= _LONGEST_HOURS:
            raise ValueError(f"{where}: every must be from 4 hours to 999 days, got {self.every.to_human_string()}")
        if self.notice is not None:
            notice = _hours(where, "notice", self.notice)
            # It is looked at once a day: a shorter notice might never be given.
            if not min(_DAY, hours) <= notice <= hours:
                raise ValueError(
                    f"{where}: notice must be at least 1 day and no longer than every ({self.every.to_human_string()}), got "
                    f"{self.notice.to_human_string()}"
                )

    @classmethod
    def staged(cls, *, every: Duration | None = None, notice: Duration | None = None) -> Self:
        """The operator stages the next key ahead of the due date: `ai-gateway credentials stage <upstream>`.

        Where nothing is staged the rotation fails, and the current key stays. For every provider.

        Args:
            every: how often, in whole hours from 4 hours to 999 days. Default: 30 days.
            notice: how long ahead of the due date an alarm says that nothing is staged, in whole hours, at least 1 day. It is
                looked at once a day. Default: 7 days, or all of `every` if that is shorter.

        Raises:
            ValueError: if a value is out of its range or a token.
        """
        every = Duration.hours(_DEFAULT_EVERY_HOURS) if every is None else every
        if notice is None:
            notice = Duration.hours(min(_DEFAULT_NOTICE_HOURS, _hours("rotation staged", "every", every)))
        return cls(kind=RotationKind.STAGED, every=every, notice=notice)

    @classmethod
    def openai_admin(cls, *, project: str, admin_secret: ISecret, every: Duration | None = None) -> Self:
        """The key is minted by OpenAI's administration API: a service account of the project for each key. For OpenAI only.

        The one before last is deleted once the new one works. Other service accounts, those of people and
        of other gateways, are left alone.

        Args:
            project: id of OpenAI's project, for example "proj_abc123".
            admin_secret: holds an admin key of OpenAI's organization, as plain text or in the field `apiKey` of a JSON object.
                The rotation function may read it, and decrypt it if its `encryption_key` is known.
            every: how often, in whole hours from 4 hours to 999 days. Default: 30 days.

        Raises:
            ValueError: if a value is out of its range or, for `every`, a token.
        """
        if not Token.is_unresolved(project) and not _PROJECT.fullmatch(project):
            raise ValueError(
                f"rotation openai_admin: project must be the id of an OpenAI project such as 'proj_abc123', got {project!r}"
            )
        if not offers(admin_secret, "secret_arn"):
            # Not shown: it may be the key itself.
            raise ValueError(
                "rotation openai_admin: admin_secret must be a secret of Secrets Manager, got a "
                f"{type(admin_secret).__name__}; put the admin key into one, and name it by "
                "Secret.from_secret_complete_arn(stack, id, arn)"
            )
        every = Duration.hours(_DEFAULT_EVERY_HOURS) if every is None else every
        return cls(kind=RotationKind.OPENAI_ADMIN, every=every, project=project, admin_secret=admin_secret)

    @property
    def schedule(self) -> str:
        """The schedule in Secrets Manager's words."""
        hours = int(self.every.to_hours(integral=False))
        number, unit = (hours // _DAY, "day") if hours % _DAY == 0 else (hours, "hour")
        return f"rate({number} {unit}{'' if number == 1 else 's'})"

    @property
    def notice_seconds(self) -> int:
        """The notice; 0 for none."""
        return 0 if self.notice is None else int(self.notice.to_seconds(integral=False))


def require_rotatable(rotation: Rotation, upstream: UpstreamConfig) -> None:
    """Refuse a rotation that an upstream cannot have.

    Raises:
        ValueError: if it takes no key, or OpenAI is to mint the key of somebody else.
    """
    if not upstream.needs_key:
        raise ValueError(f"upstream {upstream.name!r} takes no key, so there is nothing to rotate; leave rotation out")
    if rotation.kind is not RotationKind.OPENAI_ADMIN:
        return
    for endpoint in upstream.endpoints:
        host = urlsplit(endpoint.base_url).hostname or ""
        if host != _OPENAI and not host.endswith(f".{_OPENAI}"):
            raise ValueError(
                f"upstream {upstream.name!r}: Rotation.openai_admin mints keys of OpenAI, and {endpoint.base_url!r} is not "
                "OpenAI's; use Rotation.staged"
            )
    if upstream.secret_field == SERVICE_ACCOUNT_FIELD:
        raise ValueError(
            f"upstream {upstream.name!r}: secret_field must not be {SERVICE_ACCOUNT_FIELD!r}, where Rotation.openai_admin "
            "keeps the service account; leave it out for 'apiKey'"
        )


def _hours(where: str, name: str, duration: Duration) -> int:
    """A duration that is known, in whole hours."""
    if not isinstance(duration, Duration):
        raise ValueError(  # noqa: TRY004  whatever is wrong with a prop is a ValueError
            f"{where}: {name} must be a Duration, for example Duration.days(30), got {duration!r}"
        )
    if duration.is_unresolved():
        raise ValueError(f"{where}: {name} must be known at synth, got a token; write it out, for example Duration.days(30)")
    hours = duration.to_hours(integral=False)
    if hours != int(hours):
        raise ValueError(f"{where}: {name} must be whole hours, got {duration.to_human_string()}")
    return int(hours)
