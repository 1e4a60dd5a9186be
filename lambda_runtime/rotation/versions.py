"""The versions of a secret, as far as a rotation has to do with them, and the rules about them."""

from __future__ import annotations

from typing import Any

from lambda_runtime.config.secrets import STAGED_LABEL
from lambda_runtime.rotation.errors import RotationError

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


class SecretVersions:
    """A secret in the middle of a rotation. Everything here may be done twice.

    Args:
        client: boto3's, of Secrets Manager.
        secret_id: ARN of the secret.
        token: id of the version that is to become the current one.
    """

    def __init__(self, client: Any, secret_id: str, token: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self.token = token

    def is_current(self) -> bool:
        """Whether the version is the current one already, so that there is nothing left to do.

        Raises:
            RotationError: if Secrets Manager's rules do not let the version be rotated.
        """
        secret = self._client.describe_secret(SecretId=self._secret_id)
        # Not there at all: never set up, as it may still seem to be while it is being set up.
        if secret.get("RotationEnabled") is False:
            raise RotationError(f"the rotation of {self._secret_id} is switched off; deploy the gateway again to switch it on")
        versions = secret.get("VersionIdsToStages") or {}
        if self.token not in versions:
            raise RotationError(f"the secret {self._secret_id} has no version {self.token} to rotate to; begin a new rotation")
        stages = versions[self.token]
        if CURRENT in stages:
            return True
        if PENDING not in stages:
            raise RotationError(
                f"the version {self.token} of {self._secret_id} is no longer on its way to become the current one; "
                f"begin a new rotation: aws secretsmanager rotate-secret --secret-id {self._secret_id}"
            )
        return False

    def pending(self) -> str | None:
        """Value of the version that is to become the current one. None: it has none yet."""
        return self._value(VersionId=self.token, VersionStage=PENDING)

    def labelled(self, label: str) -> str | None:
        """Value of the version with a label. None: there is none."""
        return read_value(self._client, self._secret_id, label)

    def put_pending(self, value: str) -> None:
        """Give the version its value."""
        self._client.put_secret_value(
            SecretId=self._secret_id, ClientRequestToken=self.token, SecretString=value, VersionStages=[PENDING]
        )

    def promote(self) -> None:
        """Make the version the current one. The one that was stays valid, as the previous one."""
        old = self._with_label(CURRENT)
        if old != self.token:
            more = {} if old is None else {"RemoveFromVersionId": old}
            self._client.update_secret_version_stage(
                SecretId=self._secret_id, VersionStage=CURRENT, MoveToVersionId=self.token, **more
            )

    def drop_pending(self) -> None:
        """Take the version's own label away, so that nothing seems to be under way, and a new rotation may begin.

        Secrets Manager lets the label stay on the current version. But it would stay behind when somebody sets a key by hand,
        and would then forbid every later rotation.
        """
        self._drop(PENDING, self.token)

    def drop_staged(self, value: str) -> None:
        """Take the label of the staged version away, if it holds this value. Another one is for the next rotation."""
        version = self._with_label(STAGED_LABEL)
        if version is not None and self.labelled(STAGED_LABEL) == value:
            self._drop(STAGED_LABEL, version)

    def _drop(self, label: str, version: str) -> None:
        if self._with_label(label) == version:
            self._client.update_secret_version_stage(SecretId=self._secret_id, VersionStage=label, RemoveFromVersionId=version)

    def _with_label(self, label: str) -> str | None:
        versions = self._client.describe_secret(SecretId=self._secret_id).get("VersionIdsToStages") or {}
        return next((version for version, labels in versions.items() if label in labels), None)

    def _value(self, **which: str) -> str | None:
        return _read(self._client, SecretId=self._secret_id, **which)


def read_value(client: Any, secret_id: str, label: str = CURRENT) -> str | None:
    """Value of a secret's version with a label. None: there is none."""
    return _read(client, SecretId=secret_id, VersionStage=label)


def _read(client: Any, **which: str) -> str | None:
    try:
        answer = client.get_secret_value(**which)
    except client.exceptions.ResourceNotFoundException:
        return None
    if "SecretString" not in answer and "SecretBinary" not in answer:
        # What has no value is not found at AWS, and found empty in the local gateway's embedded one.
        return None
    value = answer.get("SecretString")
    if not isinstance(value, str):
        raise RotationError(f"a version of {which['SecretId']} is binary; keys are text")
    return value
