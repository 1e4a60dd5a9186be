"""A call of an AWS service: signed, and repeated once where that may help."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from lambda_runtime import sigv4
from lambda_runtime.aws_credentials import AwsCredentialsSource

_TIMEOUT = httpx.Timeout(4.0, connect=2.0)
_ATTEMPTS = 2


def signed_post(
    client: httpx.Client,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    region: str,
    aws_credentials: AwsCredentialsSource,
    is_transient: Callable[[httpx.Response], bool],
) -> httpx.Response:
    """Send a request.

    Args:
        client: the HTTP client.
        url: where to.
        headers: those to be signed.
        body: what is sent.
        service: the service's name in signatures.
        region: its Region.
        aws_credentials: whose rights are used; asked anew for each attempt.
        is_transient: whether an answer may be another one if asked again.

    Returns:
        The answer, whatever it says.

    Raises:
        AwsCredentialsError: if there are no credentials to sign with.
        httpx.HTTPError: if no answer comes.
        httpx.InvalidURL: if the URL is none.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        signed = sigv4.sign(
            method="POST",
            url=url,
            headers=headers,
            body=body,
            service=service,
            region=region,
            credentials=aws_credentials.get(),
        )
        try:
            response = client.post(url, content=body, headers=signed, timeout=_TIMEOUT)
        except httpx.TransportError as error:
            # Where there is no way to the service, each attempt costs the whole time-out: Lambda gives init 10 s in all, and a
            # client waits for a token.
            if attempt == _ATTEMPTS or isinstance(error, httpx.TimeoutException):
                raise
        else:
            if attempt == _ATTEMPTS or not is_transient(response):
                return response
    raise AssertionError
