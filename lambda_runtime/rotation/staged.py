"""Rotation to a key that the operator staged: a version of the same secret with a label of ours."""

from __future__ import annotations

from lambda_runtime.config.secrets import STAGED_LABEL, RotatedSecret
from lambda_runtime.rotation.errors import KeyRefusedError, RotationError
from lambda_runtime.rotation.key_trial import require_taken
from lambda_runtime.rotation.keys import require_key
from lambda_runtime.rotation.pause import Pause
from lambda_runtime.rotation.versions import CURRENT, SecretVersions
from lambda_runtime.secret_value import key_in

_REFUSED_FOR, _SILENT_FOR = 60.0, 300.0


class StagedRotation:
    """The four steps, where the operator brings the key.

    Args:
        secret: what is rotated.
        versions: its versions.
        pause: the function's time.
    """

    def __init__(self, secret: RotatedSecret, versions: SecretVersions, pause: Pause) -> None:
        self._secret = secret
        self._versions = versions
        self._pause = pause

    def create(self) -> None:
        """Take what is staged for the next key.

        Raises:
            RotationError: if nothing is staged, or no new key.
        """
        name = self._secret.upstream
        stage = f"stage one: ai-gateway credentials stage {name}"
        staged = self._versions.labelled(STAGED_LABEL)
        if staged is None:
            raise RotationError(f"no next key is staged for the upstream {name!r}, the current one stays; {stage}")
        key = require_key(staged, self._secret.field, f"what is staged for the upstream {name!r} is no key; {stage}")
        if key == key_in(self._versions.labelled(CURRENT), self._secret.field):
            raise RotationError(f"what is staged for the upstream {name!r} is the key that it has already; {stage}")
        self._versions.put_pending(staged)

    def test(self, value: str) -> None:
        """Try the key at the upstream.

        One that is refused for good is put away, so that the next rotation does not stumble over it again.

        Raises:
            RotationError: if the upstream does not take it.
        """
        name = self._secret.upstream
        key = require_key(value, self._secret.field, f"the next value of the upstream {name!r} holds no key")
        try:
            require_taken(self._secret, key, self._pause, refused_for=_REFUSED_FOR, silent_for=_SILENT_FOR)
        except KeyRefusedError as error:
            self._versions.drop_staged(value)
            self._versions.drop_pending()
            raise KeyRefusedError(
                f"{error}; the current key stays, stage another: ai-gateway credentials stage {name}"
            ) from None

    def tidy(self) -> None:
        """After the key has become the current one: it is no longer the next."""
        current = self._versions.labelled(CURRENT)
        if current is not None:
            self._versions.drop_staged(current)
