"""The function's own AWS credentials."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime

import httpx

from lambda_runtime.sigv4 import Credentials

_EARLY = 300.0
"""Seconds before their expiry at which credentials are fetched anew."""

_TIMEOUT = httpx.Timeout(2.0)


class AwsCredentialsError(Exception):
    """The function has no AWS credentials. The message says where they were looked for."""


class AwsCredentialsSource:
    """Where the function's credentials come from: environment variables or, after a SnapStart restore, Lambda's local endpoint.

    Args:
        client: the HTTP client.
        environ: environment variables. They are read at each call: after a restore they are others.
    """

    def __init__(self, client: httpx.Client, environ: Mapping[str, str]) -> None:
        self._client = client
        self._environ = environ
        self._fetched: tuple[float, Credentials] | None = None

    def forget(self) -> None:
        """Drop what was fetched: a snapshot of the process must not hold it."""
        self._fetched = None

    def get(self) -> Credentials:
        """Credentials that are valid now.

        Raises:
            AwsCredentialsError: if there are none.
        """
        url = self._environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if url:
            now = time.time()
            if self._fetched is None or now > self._fetched[0] - _EARLY:
                try:
                    self._fetched = self._fetch(url)
                except AwsCredentialsError:
                    if self._fetched is None or now > self._fetched[0]:
                        raise  # else the old ones are good for some minutes more
            return self._fetched[1]
        access_key = self._environ.get("AWS_ACCESS_KEY_ID")
        secret_key = self._environ.get("AWS_SECRET_ACCESS_KEY")
        if not (access_key and secret_key):
            raise AwsCredentialsError("neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
        return Credentials(access_key, secret_key, self._environ.get("AWS_SESSION_TOKEN", ""))

    def _fetch(self, url: str) -> tuple[float, Credentials]:
        token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        try:
            response = self._client.get(url, headers={"authorization": token} if token else None, timeout=_TIMEOUT)
            response.raise_for_status()
            document = json.loads(response.content)
            expires = datetime.fromisoformat(document["Expiration"]).timestamp()
            return expires, Credentials(document["AccessKeyId"], document["SecretAccessKey"], document["Token"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # The exception's text is left out: it may quote the answer, which holds the credentials.
            raise AwsCredentialsError(
                f"AWS_CONTAINER_CREDENTIALS_FULL_URI gave no credentials ({type(error).__name__})"
            ) from None
