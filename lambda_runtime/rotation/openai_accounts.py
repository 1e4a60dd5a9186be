"""OpenAI's administration API, as far as it has to do with a project's service accounts."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from lambda_runtime.rotation import provider_http
from lambda_runtime.rotation.errors import RotationError, UpstreamSilentError
from lambda_runtime.rotation.pause import Pause

_PAGE, _MAX_PAGES = 100, 100
_DELAYS = (1.0, 2.0, 4.0)
_OK, _NOT_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 200, 300, 401, 403, 404, 500
_LATER = frozenset({408, 409, 429})
_MAX_TEXT = 300

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account of a project."""

    id: str
    name: str


class ServiceAccounts:
    """The service accounts of a project.

    Args:
        base_url: of the API, with its version.
        project: id of the project.
        admin_key: of the organization.
        pause: the function's time.
    """

    def __init__(self, base_url: str, project: str, admin_key: str, pause: Pause) -> None:
        self._url = f"{base_url}/organization/projects/{quote(project, safe='')}/service_accounts"
        self._headers = {"authorization": f"Bearer {admin_key}"}
        self._admin_key = admin_key
        self._project = project
        self._pause = pause

    def list(self) -> list[ServiceAccount]:
        """All of them."""
        accounts: list[ServiceAccount] = []
        query = f"?limit={_PAGE}"
        for _ in range(_MAX_PAGES):
            page = self._again(functools.partial(self._send, "GET", query))
            found = [ServiceAccount(item["id"], item.get("name") or "") for item in page.get("data") or ()]
            accounts += found
            if not page.get("has_more") or not found:
                return accounts
            query = f"?limit={_PAGE}&after={quote(found[-1].id, safe='')}"
        raise RotationError(f"the project {self._project} of OpenAI has more than {_PAGE * _MAX_PAGES:,} service accounts")

    def mint(self, name: str) -> tuple[str, str]:
        """A new service account and its key.

        What has the name already is what an earlier try left behind. Its key was shown once, to somebody who is gone.

        Args:
            name: nobody else's.

        Returns:
            Id and key.
        """

        def mint() -> tuple[str, str]:
            for orphan in self.list():
                if orphan.name == name:
                    self.delete(orphan.id)
            answer = self._send("POST", body={"name": name})
            key = (answer.get("api_key") or {}).get("value")
            if not isinstance(key, str) or not isinstance(answer.get("id"), str):
                raise RotationError("OpenAI made a service account without a key; does a policy of the organization forbid it?")
            return answer["id"], key

        return self._again(mint)

    def delete(self, account: str) -> None:
        """Delete one, and its key with it. One that is gone already is gone."""
        self._again(lambda: self._send("DELETE", f"/{quote(account, safe='')}", gone_is_fine=True))

    def _again(self, ask: Callable[[], _Result]) -> _Result:
        for delay in _DELAYS:
            try:
                return ask()
            except UpstreamSilentError:
                self._pause.sleep(delay)
        return ask()

    def _send(
        self, method: str, path: str = "", *, body: Mapping[str, Any] | None = None, gone_is_fine: bool = False
    ) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            reply = provider_http.send(method, self._url + path, self._headers, data)
        except provider_http.NoReplyError as error:
            raise UpstreamSilentError(str(error)) from None
        document = _document(reply.body)
        if _OK <= reply.status < _NOT_OK:
            return document
        if gone_is_fine and reply.status == _NOT_FOUND:
            return {}
        if reply.status in _LATER or reply.status >= _SERVER_ERROR:
            raise UpstreamSilentError(f"OpenAI's administration API answered with status {reply.status}")
        raise RotationError(self._refusal(reply.status, document))

    def _refusal(self, status: int, document: dict[str, Any]) -> str:
        if status == _UNAUTHORIZED:
            return (
                "OpenAI refuses the admin key; put a valid admin key of the organization (sk-admin-...), not one of a project, "
                "into the secret that admin_secret names"
            )
        error = document.get("error")
        words = str(error.get("message") or "") if isinstance(error, dict) else ""
        words = words.replace(self._admin_key, "[redacted]")[:_MAX_TEXT]
        hint = ""
        if status in {_FORBIDDEN, _NOT_FOUND}:
            hint = f"; is the project {self._project} right, and may the admin key manage its service accounts?"
        return f"OpenAI's administration API answered with status {status}: {words or 'no reason given'}{hint}"


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
