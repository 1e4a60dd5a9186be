"""A client of AWS STS with one operation: `GetWebIdentityToken`, a signed statement of who the function is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from lambda_runtime.aws_credentials import AwsCredentialsError, AwsCredentialsSource
from lambda_runtime.aws_endpoint import aws_endpoint
from lambda_runtime.config.federation import JWT_LIFETIME, Federation
from lambda_runtime.federation.problem import TransientProblem
from lambda_runtime.secret_value import SecretProblem
from lambda_runtime.signed_post import signed_post

SHORTEST = 60
"""Seconds for which a token is asked for where the function's own session ends before `JWT_LIFETIME` is over: STS's least."""

_OK = 200
_SERVER_ERROR = 500
_VERSION = "2011-06-15"
_TRANSIENT = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable", "InternalFailure"})
_CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
_CLOCK_WORDS = ("Signature expired", "Signature not yet current")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


class WebIdentity:
    """Asks STS for identity tokens. Only its Regional endpoints give them.

    Args:
        client: the HTTP client.
        environ: environment variables: the Region and, for emulators, `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`.
        aws_credentials: whose identity it is: the function's.
    """

    def __init__(self, client: httpx.Client, environ: Mapping[str, str], aws_credentials: AwsCredentialsSource) -> None:
        self._client = client
        self._environ = environ
        self._aws_credentials = aws_credentials

    def token(self, federation: Federation) -> str:
        """A new identity token for a provider. It is not kept: providers take each one once.

        Raises:
            SecretProblem: if there is none; says why, and what mends it.
        """
        try:
            response = self._ask(federation, JWT_LIFETIME)
            if _text(response.text, "Code") == "SessionDurationEscalationException":
                response = self._ask(federation, SHORTEST)
        except AwsCredentialsError as error:
            raise SecretProblem(f"AWS STS cannot be asked for an identity token: {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TransientProblem(
                f"AWS STS does not answer ({type(error).__name__}: {error}); in a VPC the function needs an interface "
                "endpoint for sts, or a NAT gateway, and a security group that lets it out on port 443"
            ) from None
        token = _text(response.text, "WebIdentityToken")
        if response.status_code != _OK or not token:
            raise _refused(response, federation)
        return token

    def _ask(self, federation: Federation, lifetime: int) -> httpx.Response:
        region, url = aws_endpoint("sts", "AWS_ENDPOINT_URL_STS", self._environ)
        return signed_post(
            self._client,
            url,
            headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            body=request_body(federation, lifetime),
            service="sts",
            region=region,
            aws_credentials=self._aws_credentials,
            is_transient=_is_transient,
        )


def request_body(federation: Federation, lifetime: int) -> bytes:
    """The request, in the order in which botocore would write it."""
    return urlencode(
        {
            "Action": "GetWebIdentityToken",
            "Version": _VERSION,
            "Audience.member.1": federation.audience,
            "DurationSeconds": lifetime,
            "SigningAlgorithm": federation.signing_algorithm,
        }
    ).encode()


def statement(federation: Federation) -> str:
    """The statement that lets the function have tokens for this provider and no others, as JSON."""
    condition = {
        "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": [federation.audience]},
        "Null": {"sts:IdentityTokenAudience": "false"},
        "NumericLessThanEquals": {"sts:DurationSeconds": JWT_LIFETIME},
        "StringEquals": {"sts:SigningAlgorithm": federation.signing_algorithm},
    }
    return json.dumps({"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*", "Condition": condition})


def _is_transient(response: httpx.Response) -> bool:
    return response.status_code >= _SERVER_ERROR or _text(response.text, "Code") in _TRANSIENT


def _text(document: str, name: str) -> str:
    """The text of the first element of that name; empty if there is none.

    STS answers in XML without attributes, comments or nesting of these elements. A parser would cost every federated instance
    a megabyte for one element.
    """
    found = re.search(f"<{name}>([^<]*)</{name}>", document)
    text = found[1].strip() if found else ""
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def _refused(response: httpx.Response, federation: Federation) -> SecretProblem:
    """What the refusal means for the operator."""
    code, message = _text(response.text, "Code"), _text(response.text, "Message")[:500]
    if _is_transient(response):
        return TransientProblem(f"AWS STS gives no identity token now: it answered {response.status_code} {code} {message}")
    if code in _CLOCK or any(words in message for words in _CLOCK_WORDS):
        return SecretProblem(
            f"AWS STS refuses the function's signature because of its time ({message}); the clock of this machine is wrong"
        )
    known = {
        "OutboundWebIdentityFederationDisabledException": (
            "outbound identity federation is off in this AWS account; "
            "switch it on: aws iam enable-outbound-web-identity-federation"
        ),
        "AccessDenied": (
            f"sts:GetWebIdentityToken is denied; add to the function's role {statement(federation)}, and look for a service "
            f"control policy or a VPC endpoint's policy that forbids it ({message})"
        ),
        "ExpiredToken": (
            f"the function's own credentials are refused ({message}); Lambda gives new ones to new instances: change an "
            "environment variable and publish a version"
        ),
        "InvalidAction": (
            "it does not know GetWebIdentityToken where it was asked; its global endpoint does not, nor do some emulators: "
            "leave AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL unset"
        ),
    }
    known["AccessDeniedException"] = known["AccessDenied"]
    known["ExpiredTokenException"] = known["InvalidClientTokenId"] = known["ExpiredToken"]
    anything = (
        f"it answered {response.status_code} {code} {message}".rstrip()
        + f"; try it with: aws sts get-web-identity-token --audience {federation.audience} "
        f"--signing-algorithm {federation.signing_algorithm}"
    )
    return SecretProblem(f"AWS STS gives the function no identity token: {known.get(code, anything)}")
