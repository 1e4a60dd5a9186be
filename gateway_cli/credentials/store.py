"""Reads and changes upstreams' secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from gateway_cli.credentials.model import CURRENT, StoredSecret, Version
from lambda_runtime.config.secrets import STAGED_LABEL

_PAGE = 100


class BinaryValueError(Exception):
    """A secret holds bytes."""


class SecretStore:
    """Secrets Manager, as far as upstreams' keys have to do with it.

    Args:
        client: boto3's.
        clock: the time, in seconds since the epoch. Default: this machine's.
    """

    def __init__(self, client: Any, clock: Callable[[], float] = time.time) -> None:
        self.client = client
        self.clock = clock

    def find(self, secret_id: str) -> StoredSecret | None:
        """A secret; None if there is none.

        Raises:
            ClientError: if AWS refuses to tell.
        """
        try:
            described = self.client.describe_secret(SecretId=secret_id)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        if described.get("DeletedDate"):
            return None
        made = self._made(secret_id)
        # AWS does not document whether a version without a value is listed, too.
        otherwise = _seconds(described.get("LastChangedDate")) or self.clock()
        return StoredSecret(
            id=secret_id,
            name=described["Name"],
            versions=tuple(
                Version(id=version, created=made.get(version, otherwise), labels=labels)
                for version, labels in _labels(described).items()
            ),
            rotated=bool(described.get("RotationEnabled")),
            rotation_function=described.get("RotationLambdaARN") or "",
            last_rotation=_seconds(described.get("LastRotatedDate")),
            next_rotation=_seconds(described.get("NextRotationDate")),
        )

    def labels(self, secret_id: str) -> Mapping[str, frozenset[str]]:
        """The labels of a secret's versions, by their ids."""
        return _labels(self.client.describe_secret(SecretId=secret_id))

    def _made(self, secret_id: str) -> dict[str, float]:
        """When each version was made."""
        found: dict[str, float] = {}
        more: Mapping[str, str] = {}
        while True:
            page = self.client.list_secret_version_ids(SecretId=secret_id, MaxResults=_PAGE, **more)
            for version in page.get("Versions", ()):
                made = _seconds(version.get("CreatedDate"))
                if made is not None:
                    found[version["VersionId"]] = made
            if not page.get("NextToken"):
                return found
            more = {"NextToken": page["NextToken"]}

    def value(self, secret: StoredSecret, label: str = CURRENT) -> str | None:
        """Value of the version with a label. None: there is none.

        Raises:
            BinaryValueError: if it is no text.
            ClientError: if AWS refuses to tell.
        """
        version = secret.labelled(label)
        if version is None:
            return None
        try:
            answer = self.client.get_secret_value(SecretId=secret.id, VersionId=version.id)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        if "SecretString" not in answer and "SecretBinary" in answer:
            raise BinaryValueError
        value: str | None = answer.get("SecretString")
        return value

    def set_current(self, secret: StoredSecret, value: str) -> None:
        """Make a value the current one. The one that was stays as the previous one."""
        self._put(secret, value, CURRENT)

    def stage(self, secret: StoredSecret, value: str) -> None:
        """Put the next value beside the current one."""
        new = self._put(secret, value, STAGED_LABEL)
        # AWS has moved the label; the embedded AWS gives it to both.
        for version, labels in self.labels(secret.id).items():
            if STAGED_LABEL in labels and version != new:
                self.drop(secret, STAGED_LABEL, version)

    def drop(self, secret: StoredSecret, label: str, version: str) -> None:
        """Take a label from a version. One without any is deleted by Secrets Manager in time."""
        self.client.update_secret_version_stage(SecretId=secret.id, VersionStage=label, RemoveFromVersionId=version)

    def make_current(self, secret: StoredSecret, version: Version, instead_of: Version) -> None:
        """Make a version the current one again. The one that was becomes the previous one."""
        self.client.update_secret_version_stage(
            SecretId=secret.id, VersionStage=CURRENT, MoveToVersionId=version.id, RemoveFromVersionId=instead_of.id
        )

    def _put(self, secret: StoredSecret, value: str, label: str) -> str:
        token = str(uuid4())
        self.client.put_secret_value(SecretId=secret.id, ClientRequestToken=token, SecretString=value, VersionStages=[label])
        return token


def _labels(described: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """What has no label is as good as gone."""
    return {version: frozenset(labels) for version, labels in (described.get("VersionIdsToStages") or {}).items() if labels}


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
