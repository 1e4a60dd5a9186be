"""API Gateway's keys and usage plans in this process: boto3's requests are answered before they are sent.

moto's API Gateway has neither pages nor usage, and wants a package more to be installed. This one is as strict as AWS's
documents are: what a value and a tag may consist of, how much may be listed at once, who sees values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

PER_PAGE = 2
"""However many are asked for, so that a caller that reads the first page only is found out."""

_VALUE = re.compile(r"[A-Za-z0-9]{20,128}")
_TAG = re.compile(r"[A-Za-z0-9+\-=._:/]{1,256}")

Document = dict[str, Any]


class RefusedError(Exception):
    """An error answer: its code, and its message."""


class _Body:
    """The body of an answer as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


@dataclass
class ApiGateway:
    """The service. What a test wants to be otherwise, it sets."""

    apis: list[Document] = field(default_factory=list)
    plans: dict[str, Document] = field(default_factory=dict)
    keys: dict[str, Document] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    """Keys by plan."""
    usage: dict[str, dict[str, list[list[int]]]] | None = field(default_factory=dict)
    """Days of keys by plan. None: nobody counts, as in the embedded AWS."""
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Code and message by operation."""
    lost: list[str] = field(default_factory=list)
    """Operations whose next answer is lost."""
    asked: list[str] = field(default_factory=list)
    """Operations, in order."""
    queries: list[Mapping[str, str]] = field(default_factory=list)
    """What was in their addresses."""
    _ids: Iterator[int] = field(default_factory=count)

    def answer(self, event_name: str, request: AWSRequest) -> AWSResponse:
        """Answer a request of botocore's event `before-send`."""
        operation = event_name.rpartition(".")[2]
        address = urlsplit(str(request.url))
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        self.asked.append(operation)
        self.queries.append(query)
        try:
            self._require_allowed(operation)
            content = getattr(self, f"_{operation}")(parts, query, json.loads(request.body or "{}"))
            status, headers = 200, {"content-type": "application/json"}
        except RefusedError as error:
            code, message = error.args
            status, headers, content = 400, {"x-amzn-errortype": code}, {"message": message}
        if operation in self.lost:
            self.lost.remove(operation)
            raise ReadTimeoutError(endpoint_url=str(request.url))
        return AWSResponse(str(request.url), status, headers, _Body(json.dumps(content).encode()))

    def _require_allowed(self, operation: str) -> None:
        if operation in self.refused:
            raise RefusedError(*self.refused[operation])

    def new_id(self) -> str:
        return f"id{next(self._ids):08d}"

    def add_key(self, **key: Any) -> str:
        """Put a key there without asking."""
        id_ = self.new_id()
        given = {"value": f"value{id_}xxxxxxxxxxxxxxx", "createdDate": 1_790_000_000, "enabled": True, "tags": {}}
        self.keys[id_] = {**given, **key, "id": id_}
        return id_

    # Below, each is called like the operation that it answers.

    def _GetRestApis(self, _: Any, query: Mapping[str, str], __: Any) -> Document:  # noqa: N802
        return _page(self.apis, query)

    def _GetUsagePlans(self, _: Any, query: Mapping[str, str], __: Any) -> Document:  # noqa: N802
        return _page(list(self.plans.values()), query)

    def _GetUsagePlanKeys(self, parts: list[str], query: Mapping[str, str], _: Any) -> Document:  # noqa: N802
        keys = [self.keys[id_] for id_ in self.members.get(parts[1], []) if id_ in self.keys]
        return _page([{"id": key["id"], "type": "API_KEY", "value": key["value"]} for key in keys], query)

    def _GetUsage(self, parts: list[str], query: Mapping[str, str], _: Any) -> Document:  # noqa: N802
        if self.usage is None:
            return self.plans[parts[1]]
        dates = {"startDate": query["startDate"], "endDate": query["endDate"]}
        keys = list(self.usage.get(parts[1], {}).items())
        page = _page(keys, query)
        return {"usagePlanId": parts[1], **dates, "values": dict(page.pop("item")), **page}

    def _GetApiKeys(self, _: Any, query: Mapping[str, str], __: Any) -> Document:  # noqa: N802
        keys = [key for key in self.keys.values() if key["name"].startswith(query.get("name", ""))]
        if query.get("includeValues") != "true":
            keys = [{name: value for name, value in key.items() if name != "value"} for key in keys]
        return _page(keys, query)

    def _CreateApiKey(self, _: Any, __: Any, body: Document) -> Document:  # noqa: N802
        if not _VALUE.fullmatch(body["value"]):
            raise RefusedError("BadRequestException", "API Key value is malformed")
        if any(key["value"] == body["value"] for key in self.keys.values()):
            raise RefusedError("ConflictException", "API Key already exists")
        if not all(_TAG.fullmatch(text) for pair in body.get("tags", {}).items() for text in pair):
            raise RefusedError("BadRequestException", "Invalid tag")
        return self.keys[self.add_key(**body)]

    def _CreateUsagePlanKey(self, parts: list[str], _: Any, body: Document) -> Document:  # noqa: N802
        if body["keyId"] not in self.keys or parts[1] not in self.plans:
            raise RefusedError("NotFoundException", "Invalid identifier specified")
        if any(body["keyId"] in members for members in self.members.values()):
            raise RefusedError("ConflictException", "Usage Plan Key already exists")
        self.members.setdefault(parts[1], []).append(body["keyId"])
        return {"id": body["keyId"], "type": "API_KEY"}

    def _UpdateApiKey(self, parts: list[str], _: Any, body: Document) -> Document:  # noqa: N802
        key = self._known(parts[1])
        for change in body["patchOperations"]:
            assert (change["op"], change["path"]) == ("replace", "/enabled")
            key["enabled"] = {"true": True, "false": False}[change["value"]]
        return key

    def _DeleteApiKey(self, parts: list[str], _: Any, __: Any) -> Document:  # noqa: N802
        self._known(parts[1])
        del self.keys[parts[1]]
        return {}

    def _known(self, id_: str) -> Document:
        if id_ not in self.keys:
            raise RefusedError("NotFoundException", "Invalid API Key identifier specified")
        return self.keys[id_]


def _page(items: list[Any], query: Mapping[str, str]) -> Document:
    if int(query.get("limit", "25")) > 500:
        raise RefusedError("BadRequestException", "limit is 500 at most")
    start = int(query.get("position", "0"))
    more = {"position": str(start + PER_PAGE)} if start + PER_PAGE < len(items) else {}
    return {"item": items[start : start + PER_PAGE], **more}
