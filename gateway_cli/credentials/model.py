"""What is known of an upstream's key, without its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lambda_runtime.config import UpstreamConfig
from lambda_runtime.config.secrets import STAGED_LABEL, RotatedSecret, RotationKind

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


class State(StrEnum):
    """What an upstream's secret holds."""

    SET = "set"
    PLACEHOLDER = "placeholder"
    UNUSABLE = "unusable"
    """A value that is no key."""
    BINARY = "binary"
    """A value that is no text."""
    EMPTY = "empty"
    UNREADABLE = "not readable"
    """By whoever runs the command."""
    MISSING = "no secret"
    FEDERATED = "federated"
    """No stored key: short-lived tokens in its place."""
    KEYLESS = "takes none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version of a secret.

    Args:
        id: its id.
        created: when it was made, in seconds since the epoch.
        labels: its staging labels.
    """

    id: str
    created: float
    labels: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSecret:
    """A secret, without values.

    Args:
        id: how it is asked for.
        name: its name.
        versions: those that have a label.
        rotated: whether its rotation is switched on.
        rotation_function: ARN of the function that rotates it; empty if it has none.
        last_rotation: when it was rotated last, in seconds since the epoch. None: never.
        next_rotation: by when it is rotated next. None: not by itself.
    """

    id: str
    name: str
    versions: Sequence[Version]
    rotated: bool
    rotation_function: str
    last_rotation: float | None
    next_rotation: float | None

    def labelled(self, label: str) -> Version | None:
        """The version with a label."""
        return next((version for version in self.versions if label in version.labels), None)

    @property
    def pending(self) -> Version | None:
        """The version that a rotation is to make the current one."""
        return next((one for one in self.versions if PENDING in one.labels and CURRENT not in one.labels), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """An upstream and its key.

    Args:
        upstream: the upstream.
        state: what is there.
        why: what is wrong with a value that is no key. Default: nothing.
        secret: where it is. None: nowhere, or there is no such secret.
        rotation: how the gateway rotates it. None: it does not.
    """

    upstream: UpstreamConfig
    state: State
    why: str = ""
    secret: StoredSecret | None = None
    rotation: RotatedSecret | None = None

    @property
    def name(self) -> str:
        """The upstream's."""
        return self.upstream.name

    @property
    def rotation_word(self) -> str:
        """How it is rotated, in a word; empty if nobody rotates it."""
        on = self.secret is not None and self.secret.rotated
        if self.rotation is None:
            return "other" if on else ""
        return self.rotation.kind.value if on else "off"

    @property
    def is_staged_kind(self) -> bool:
        """Whether the operator brings its next key."""
        return self.rotation_word == RotationKind.STAGED.value

    @property
    def staged(self) -> Version | None:
        """The version that holds its next key."""
        return self.secret.labelled(STAGED_LABEL) if self.secret else None
