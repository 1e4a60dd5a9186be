"""Begins a rotation and waits for its end: at Secrets Manager, or in its place where it is embedded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from botocore.exceptions import ClientError

from gateway_cli.credentials.model import CURRENT, PENDING, StoredSecret, Version
from gateway_cli.credentials.store import SecretStore
from gateway_cli.errors import CommandError
from gateway_cli.times import duration_of
from lambda_runtime.config.secrets import RotatedSecret, RotationKind

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
"""In the order in which Secrets Manager calls them."""

ABANDONED = 20 * 60.0
"""Seconds after which a rotation is not under way any more: its function may run for a quarter of an hour."""

_PATIENCE = {RotationKind.STAGED: 10 * 60.0, RotationKind.OPENAI_ADMIN: ABANDONED}
_POLL = 2.0
_APPEARS = 30.0
"""Seconds within which a version that Secrets Manager makes is seen by everybody."""


class Rotating(Protocol):
    """Who carries rotations out."""

    def is_abandoned(self, pending: Version) -> bool:
        """Whether nobody works any more on a version that was to become the current one."""

    def begin(self, secret: StoredSecret, rotation: RotatedSecret) -> str:
        """Begin a rotation, and give the id of the version that is to become the current one.

        Args:
            secret: whose key is rotated.
            rotation: how.

        Raises:
            CommandError: if it fails at once.
        """

    def wait(self, secret: StoredSecret, rotation: RotatedSecret, version: str) -> None:
        """Wait until that version is the current one.

        Raises:
            CommandError: if the rotation fails, or does not end in time.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretsManagerRotating:
    """Secrets Manager calls the rotation function, and does not tell how that went: it is seen at the labels.

    Args:
        store: the secrets.
        logs: the command that shows what the rotation function has logged lately.
        pause: waits for so many seconds. Default: `time.sleep`.
    """

    store: SecretStore
    logs: str
    pause: Callable[[float], None] = time.sleep

    def is_abandoned(self, pending: Version) -> bool:
        """It may be tried again by Secrets Manager, but not at this moment."""
        return self.store.clock() - pending.created > ABANDONED

    def begin(self, secret: StoredSecret, rotation: RotatedSecret) -> str:  # noqa: ARG002
        """Ask Secrets Manager for it."""
        token = str(uuid4())
        try:
            self.store.client.rotate_secret(SecretId=secret.id, ClientRequestToken=token)
        except self.store.client.exceptions.InvalidRequestException as error:
            why = error.response["Error"].get("Message", "")
            raise CommandError(
                f"Secrets Manager does not begin a rotation: {why}; what the last one logged: {self.logs}"
            ) from None
        return token

    def wait(self, secret: StoredSecret, rotation: RotatedSecret, version: str) -> None:
        """Look at the labels until they have moved."""
        patience = _PATIENCE[rotation.kind]
        began, seen = self.store.clock(), False
        while True:
            labels = self.store.labels(secret.id).get(version, frozenset())
            waited = self.store.clock() - began
            seen = seen or bool(labels)
            if CURRENT in labels:
                return
            if not labels and (seen or waited > _APPEARS):
                raise CommandError(
                    f"the rotation of {rotation.upstream} failed: its function has put the new key aside, as it does with one "
                    f"that the upstream refuses; the current key stays. The reason is in its log: {self.logs}"
                )
            if waited > patience:
                raise CommandError(
                    f"the rotation of {rotation.upstream} has not ended after {duration_of(patience)}; the current key stays "
                    f"until it does. What happens is in its function's log: {self.logs}"
                )
            self.pause(_POLL)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedRotating:
    """Calls the rotation function as Secrets Manager does: the embedded one makes any version current without asking anybody.

    Args:
        store: the secrets.
        functions: boto3 client of Lambda, patient enough for the function's time.
        function: name of the rotation function.
    """

    store: SecretStore
    functions: Any
    function: str

    def is_abandoned(self, pending: Version) -> bool:  # noqa: ARG002
        """Always: nobody tries again."""
        return True

    def begin(self, secret: StoredSecret, rotation: RotatedSecret) -> str:
        """Take all four steps."""
        token = str(uuid4())
        self.store.client.put_secret_value(SecretId=secret.id, ClientRequestToken=token, VersionStages=[PENDING])
        for step in STEPS:
            self._take(step, rotation, token)
        return token

    def wait(self, secret: StoredSecret, rotation: RotatedSecret, version: str) -> None:
        """It has ended."""
        if CURRENT not in self.store.labels(secret.id).get(version, ()):
            raise CommandError(f"the rotation of {rotation.upstream} went through all its steps, and the key is as it was")

    def _take(self, step: str, rotation: RotatedSecret, token: str) -> None:
        # The secret's name is the one that the function was told, which is not always an ARN here.
        event = {"Step": step, "SecretId": rotation.secret, "ClientRequestToken": token}
        try:
            answer = self.functions.invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        except ClientError as error:
            raise CommandError(f"the rotation function cannot be called for {step}: {error}") from None
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise CommandError(
                f"the rotation of {rotation.upstream} failed at {step}, the current key stays: {_message(payload)}"
            )


def _message(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload.decode("utf-8", "replace")[:500]
