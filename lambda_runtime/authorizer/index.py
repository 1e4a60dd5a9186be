"""The API's request authorizer: finds the client's gateway key where either SDK family sends it and hands it to API Gateway.

It decides nothing itself: API Gateway looks the key up, and throttles and counts it by its usage plan. It runs on AWS's own
Python client, uses the standard library only and calls nobody.
"""

import os
import re
from typing import Any

_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


def handler(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Lift the key out of `x-api-key` or `Authorization: Bearer`, and let API Gateway decide about it.

    Args:
        event: API Gateway's event of a REQUEST authorizer.

    Returns:
        A policy that allows the call, with the key as `usageIdentifierKey`.

    Raises:
        Exception: with the message `Unauthorized`, which API Gateway turns into its 401, if neither header holds a key.
    """
    key = _key(event.get("headers") or {})
    if not key:
        # The only message that API Gateway takes for a 401; any other would become a 500.
        raise Exception("Unauthorized")  # noqa: TRY002
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": _resource(event["methodArn"])}
    return {
        "principalId": "client",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "usageIdentifierKey": key,
    }


def _key(headers: dict[str, str | None]) -> str:
    # The header's name comes in the client's own case.
    found = {name.lower(): value or "" for name, value in headers.items()}
    key = found.get("x-api-key", "").strip()
    if key:
        return key
    bearer = _BEARER.fullmatch(found.get("authorization", "").strip())
    return bearer[1] if bearer else ""


def _resource(method_arn: str) -> str:
    """What the policy allows: this method, or the whole stage where policies are cached, for then one serves every route."""
    if not os.environ.get("AUTHORIZER_CACHED"):
        return method_arn
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*"
