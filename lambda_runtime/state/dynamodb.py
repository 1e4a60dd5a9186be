"""A client of DynamoDB with two operations: `UpdateItem` and `Query`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from lambda_runtime import sigv4
from lambda_runtime.aws_credentials import AwsCredentialsError, AwsCredentialsSource
from lambda_runtime.aws_endpoint import aws_endpoint
from lambda_runtime.state.table_health import ConflictError, RefusedRequestError, TableError

CONNECT_TIMEOUT = 0.3
READ_TIMEOUT = 0.5
"""Seconds for a whole answer. DynamoDB takes 3 to 10 ms; who waits this long for it has lost more than it can tell."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.UnsupportedProtocol)
"""Errors of requests that DynamoDB does not have, or not whole: it has done nothing."""

_MAX_ANSWER = 4_000_000
_MAX_PAGES = 8
_OK = 200
_SERVER_ERROR = 500


class _Deadline:
    """A `lambda_runtime.connection.ReadLimit`: one end for the whole answer, however slowly it drips."""

    __slots__ = ("_ends", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._ends = 0.0

    def next_timeout(self) -> float:
        now = time.monotonic()
        self._ends = self._ends or now + self._timeout  # from the first read on: connecting has its own time
        return self._ends - now

    def waited(self) -> float:
        return 0.0


class DynamoDb:
    """Asks one table. May be used by several threads.

    Nothing is tried twice: what is counted twice is wrong, and what is lost is one count of many. Only where a connection turns
    out to have been closed while idle the transport sends the request again.

    Args:
        transport: sends the requests.
        environ: environment variables: the Region and, for emulators, `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL`.
        aws_credentials: whose rights are used.
        table: its name or ARN.
        connect_timeout: seconds until the connection stands. Default: `CONNECT_TIMEOUT`.
        read_timeout: seconds until the whole answer is here. Default: `READ_TIMEOUT`.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        environ: Mapping[str, str],
        aws_credentials: AwsCredentialsSource,
        table: str,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._transport = transport
        self._aws_credentials = aws_credentials
        self.table = table
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._region, self._url = aws_endpoint("dynamodb", "AWS_ENDPOINT_URL_DYNAMODB", environ, table)
        self._parsed = _parsed(self._url)

    def update(self, request: dict[str, Any], *, patience: float | None = None) -> None:
        """Change an item.

        Args:
            request: the parameters of `UpdateItem`.
            patience: seconds to connect, and again for the answer, if the client's own time-outs are longer. Default: those.

        Raises:
            ConflictError: if the request's condition does not hold.
            TableError: if it could not be done, or it is unknown whether it was, see `TableError.unsure`.
        """
        self._call("UpdateItem", request, self._read_timeout if patience is None else patience)

    def query(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Read items.

        Args:
            request: the parameters of `Query`.

        Raises:
            TableError: if it could not be done.
        """
        found: list[dict[str, Any]] = []
        for _page in range(_MAX_PAGES):
            answer = self._call("Query", request, self._read_timeout)
            items = answer.get("Items")
            if not isinstance(items, list):
                raise self._unintelligible(_OK)
            found += [item for item in items if isinstance(item, dict)]
            following = answer.get("LastEvaluatedKey")
            if not following:
                break
            request = {**request, "ExclusiveStartKey": following}
        return found

    def _call(self, operation: str, document: dict[str, Any], patience: float) -> dict[str, Any]:
        body = json.dumps(document, separators=(",", ":")).encode()
        try:
            request = self._request(operation, body, patience)
            response = self._transport.handle_request(request)
            try:
                status, content = response.status_code, _content(response)
            finally:
                response.close()
        except AwsCredentialsError as error:
            raise TableError("credentials", str(error), unreachable=True) from None
        except httpx.HTTPError as error:
            raise TableError(
                "no answer",
                f"DynamoDB at {self._url} does not answer ({type(error).__name__}: {error}); in a VPC the function needs a "
                "gateway endpoint for dynamodb, or a NAT gateway, and a security group that lets it out on port 443",
                unreachable=True,
                unsure=not isinstance(error, _UNSENT),
            ) from None
        answer = _document(content)
        if status == _OK and answer is not None:
            return answer
        raise self._refused(operation, status, answer)

    def _request(self, operation: str, body: bytes, patience: float) -> httpx.Request:
        if self._parsed is None:
            raise TableError("endpoint", f"{self._url!r} is no URL; is AWS_ENDPOINT_URL right?", unreachable=True)
        headers = sigv4.sign(
            method="POST",
            url=self._url,
            headers={"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"},
            body=body,
            service="dynamodb",
            region=self._region,
            credentials=self._aws_credentials.get(),
        )
        # As upstreams' requests are made: to have httpx derive the headers costs more than to sign them.
        raw = [(b"host", self._parsed.netloc), (b"content-length", b"%d" % len(body))]
        raw += [(name.encode(), value.encode()) for name, value in headers.items()]
        extensions = {
            "timeout": {"connect": min(patience, self._connect_timeout), "write": patience},
            "read_budget": _Deadline(min(patience, self._read_timeout)),
        }
        return httpx.Request("POST", self._parsed, headers=raw, stream=httpx.ByteStream(body), extensions=extensions)

    def _refused(self, operation: str, status: int, answer: dict[str, Any] | None) -> Exception:
        """What DynamoDB's refusal means."""
        if answer is None or not isinstance(answer.get("__type"), str):
            return self._unintelligible(status)
        kind = answer["__type"].rpartition("#")[2]
        if kind == "ConditionalCheckFailedException":
            item = answer.get("Item")
            return ConflictError(item if isinstance(item, dict) else {})
        message = str(answer.get("message") or answer.get("Message") or "")[:500]
        if kind == "ValidationException":
            return RefusedRequestError(f"{operation} invalid", f"DynamoDB refuses {operation}: {message}")
        if kind in {"AccessDeniedException", "AccessDenied"}:
            return TableError(f"denied {operation}", self._denied(operation, message))
        gone = kind == "ResourceNotFoundException"
        if gone:
            said = f"there is no table {self.table!r} in {self._region}; deploy the stack again, or deploy it without table"
        else:
            said = f"DynamoDB answers {operation} with {status} {kind} {message}".rstrip()
        # Of its own failures DynamoDB says that the change may have been made; whatever else it refuses it has not done.
        return TableError(kind, said, unreachable=gone, unsure=status >= _SERVER_ERROR)

    def _denied(self, operation: str, message: str) -> str:
        about_kms = "kms" in message.lower()
        action = "kms:Decrypt" if about_kms else f"dynamodb:{operation}"
        named = message.partition(" on resource: ")[2].split(" ", 1)[0]
        resource = named or ("<ARN of the table's KMS key>" if about_kms else "<ARN of the table>")
        statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})
        return f"the function may not use the table {self.table!r} ({action} is denied); add to the function's role {statement}"

    def _unintelligible(self, status: int) -> TableError:
        return TableError(
            "garbage",
            f"at {self._url} something answers with status {status} that is not DynamoDB; is AWS_ENDPOINT_URL right?",
            unsure=status == _OK or status >= _SERVER_ERROR,  # an answer that was cut, or a proxy's
        )


def _parsed(url: str) -> httpx.URL | None:
    try:
        return httpx.URL(url) if urlsplit(url).port != 0 else None
    except (ValueError, httpx.InvalidURL):
        return None


def _content(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in cast("httpx.SyncByteStream", response.stream):
        parts.append(part)
        size += len(part)
        if size > _MAX_ANSWER:
            break
    return b"".join(parts)


def _document(content: bytes) -> dict[str, Any] | None:
    """The answer's object; None if it is none."""
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
