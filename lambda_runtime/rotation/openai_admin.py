"""Rotation to a key that OpenAI's administration API mints: a service account of a project for each key."""

from __future__ import annotations

import hashlib
import json
import re

from lambda_runtime import log
from lambda_runtime.config.secrets import SERVICE_ACCOUNT_FIELD, RotatedSecret
from lambda_runtime.rotation.errors import KeyRefusedError
from lambda_runtime.rotation.key_trial import require_taken
from lambda_runtime.rotation.keys import require_key
from lambda_runtime.rotation.openai_accounts import ServiceAccounts
from lambda_runtime.rotation.pause import Pause
from lambda_runtime.rotation.versions import CURRENT, PREVIOUS, SecretVersions

_FOREVER = float("inf")
_TIMES = 3
"""How often a key must be taken: it may be known at one of OpenAI's servers and not yet at the next."""


class OpenAiAdminRotation:
    """The four steps, where OpenAI mints the key.

    Args:
        secret: what is rotated.
        versions: its versions.
        pause: the function's time.
        admin_value: value of the secret with the admin key. None: it has none.
    """

    def __init__(self, secret: RotatedSecret, versions: SecretVersions, pause: Pause, admin_value: str | None) -> None:
        self._secret = secret
        self._versions = versions
        self._pause = pause
        admin_key = require_key(
            admin_value, "apiKey", f"the secret {secret.admin_secret} holds no admin key of OpenAI; put one there"
        )
        self._accounts = ServiceAccounts(secret.admin_url, secret.project, admin_key, pause)
        # A name of its own for each secret and each version, so that what a broken-off try left behind is found again.
        self._prefix = f"ai-gateway-{secret.upstream}-{_digest(secret.secret)}-"

    def create(self) -> None:
        """Mint a key. What an earlier try left behind is replaced."""
        account, key = self._accounts.mint(self._prefix + _digest(self._versions.token))
        self._versions.put_pending(json.dumps({self._secret.field: key, SERVICE_ACCOUNT_FIELD: account}))

    def test(self, value: str) -> None:
        """Wait until the key works, as long as the function may run. Then Secrets Manager tries again.

        Raises:
            RotationError: if it does not work by then.
        """
        key = require_key(value, self._secret.field, f"the next value of the upstream {self._secret.upstream!r} holds no key")
        try:
            require_taken(self._secret, key, self._pause, refused_for=_FOREVER, silent_for=_FOREVER, times=_TIMES)
        except KeyRefusedError as error:
            if _account_in(value) in {account.id for account in self._accounts.list()}:
                raise KeyRefusedError(f"{error}; new keys may take a while, Secrets Manager tries again") from None
            # It will never work: somebody deleted it.
            self._versions.drop_pending()
            raise KeyRefusedError(f"{error}, and its service account is gone; the next rotation mints another") from None

    def tidy(self) -> None:
        """After the key has become the current one: delete ours that neither it nor the previous one needs."""
        current = _account_in(self._versions.labelled(CURRENT))
        if current is None:
            # Somebody else has set it meanwhile. What it belongs to is not known, so that nothing may go.
            log.warning("the current key was not minted here; no service account is deleted", upstream=self._secret.upstream)
            return
        needed = {current, _account_in(self._versions.labelled(PREVIOUS))}
        ours = re.compile(re.escape(self._prefix) + "[0-9a-f]{12}").fullmatch
        for account in self._accounts.list():
            if ours(account.name) and account.id not in needed:
                self._accounts.delete(account.id)


def _account_in(value: str | None) -> str | None:
    """The service account that a secret's value names."""
    try:
        document = json.loads(value or "")
    except ValueError:
        return None
    account = document.get(SERVICE_ACCOUNT_FIELD) if isinstance(document, dict) else None
    return account if isinstance(account, str) and account else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
