"""A client of AWS Secrets Manager with one operation: `GetSecretValue`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from lambda_runtime.aws_credentials import AwsCredentialsError, AwsCredentialsSource
from lambda_runtime.aws_endpoint import aws_endpoint
from lambda_runtime.json_scan import parse_object
from lambda_runtime.secret_value import SecretProblem, put_command
from lambda_runtime.signed_post import signed_post

_OK = 200
_SERVER_ERROR = 500
_TARGET = "secretsmanager.GetSecretValue"


class SecretsManager:
    """Reads secrets. A `lambda_runtime.credentials.SecretSource`.

    Args:
        client: the HTTP client.
        environ: environment variables: the Region and, for emulators, `AWS_ENDPOINT_URL_SECRETS_MANAGER` or `AWS_ENDPOINT_URL`.
        aws_credentials: whose rights are used. Default: the function's own.
    """

    def __init__(
        self, client: httpx.Client, environ: Mapping[str, str], aws_credentials: AwsCredentialsSource | None = None
    ) -> None:
        self._client = client
        self._environ = environ
        self._aws_credentials = aws_credentials or AwsCredentialsSource(client, environ)

    def get(self, secret_id: str) -> str:
        """The current value of a secret.

        Raises:
            SecretProblem: if it cannot be had; says why, and what mends it.
        """
        region, url = aws_endpoint("secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER", self._environ, secret_id)
        body = json.dumps({"SecretId": secret_id}).encode()
        try:
            response = self._send(url, body, region)
        except AwsCredentialsError as error:
            raise SecretProblem(f"the secret {secret_id} cannot be read: {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SecretProblem(
                f"the secret {secret_id} cannot be read: Secrets Manager at {url} does not answer "
                f"({type(error).__name__}: {error}); in a VPC the function needs an interface endpoint for secretsmanager, or "
                "a NAT gateway, and a security group that lets it out on port 443"
            ) from None
        document = parse_object(response.content) or {}
        value = document.get("SecretString")
        if response.status_code != _OK or not document:
            raise _refused(response.status_code, document, secret_id)
        if not isinstance(value, str):
            raise SecretProblem(f"the secret {secret_id} is binary; keys are text: {put_command(secret_id)}")
        return value

    def _send(self, url: str, body: bytes, region: str) -> httpx.Response:
        return signed_post(
            self._client,
            url,
            headers={"content-type": "application/x-amz-json-1.1", "x-amz-target": _TARGET},
            body=body,
            service="secretsmanager",
            region=region,
            aws_credentials=self._aws_credentials,
            is_transient=_is_transient,
        )


def _is_transient(response: httpx.Response) -> bool:
    return response.status_code >= _SERVER_ERROR or b"ThrottlingException" in response.content


def _refused(status: int, document: Mapping[str, Any], secret_id: str) -> SecretProblem:
    """What Secrets Manager's refusal means for the operator."""
    kind = str(document.get("__type") or "").rpartition("#")[2]
    message = str(document.get("message") or document.get("Message") or "")[:500]
    if kind == "ResourceNotFoundException":
        if "staging label" in message:  # the secret exists, and never had a value
            return SecretProblem(f"the secret {secret_id} has no value yet; set the upstream's key: {put_command(secret_id)}")
        return SecretProblem(
            f"the secret {secret_id} does not exist (or is in another account or Region); create it: "
            f"aws secretsmanager create-secret --name {_name(secret_id)} --secret-string '<the key>', or deploy the stack again"
        )
    if kind == "InvalidRequestException" and "delet" in message:
        return SecretProblem(
            f"the secret {secret_id} is marked for deletion; "
            f"bring it back: aws secretsmanager restore-secret --secret-id {secret_id}"
        )
    if kind in {"AccessDeniedException", "AccessDenied"}:
        about_kms = "kms" in message.lower()
        action = "kms:Decrypt" if about_kms else "secretsmanager:GetSecretValue"
        resource = "<ARN of the secret's KMS key>" if about_kms else secret_id
        statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})
        where = "the function's role, and to the key's policy," if about_kms else "the function's role"
        return SecretProblem(
            f"the function may not read the secret {secret_id} ({action} is denied); add to {where} {statement}"
        )
    if kind == "DecryptionFailure" or "kms" in message.lower():
        return SecretProblem(
            f"the secret {secret_id} cannot be decrypted ({kind}: {message}); is its KMS key enabled? "
            f"aws kms describe-key --key-id $(aws secretsmanager describe-secret --secret-id {secret_id} "
            "--query KmsKeyId --output text)"
        )
    return SecretProblem(
        f"the secret {secret_id} cannot be read: Secrets Manager answered {status} {kind} {message}".rstrip()
        + f"; look at it with: aws secretsmanager describe-secret --secret-id {secret_id}"
    )


def _name(secret_id: str) -> str:
    """A secret's name out of its ARN: without the six random characters that Secrets Manager appends."""
    last = secret_id.rpartition(":")[2]
    return last[:-7] if secret_id.startswith("arn:") and last[-7:-6] == "-" else last
