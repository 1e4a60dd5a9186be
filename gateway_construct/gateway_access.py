"""How a gateway is reached, as members of its construct."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_iam import Grant, IGrantable


class GatewayAccess:
    """The addresses that clients take, and the way past them.

    Attributes:
        alias: the alias that the API calls.
    """

    alias: lambda_.Alias
    _url: str

    @property
    def url(self) -> str:
        """Where the gateway is reached, without a trailing slash."""
        return self._url

    @property
    def openai_base_url(self) -> str:
        """What OpenAI's SDKs take as base URL."""
        return f"{self._url}/v1"

    @property
    def anthropic_base_url(self) -> str:
        """What Anthropic's SDKs take as base URL."""
        return self._url

    def grant_invoke(self, grantee: IGrantable) -> Grant:
        """Allow a principal to invoke the alias `live` with Lambda's own API.

        That goes past the REST API: there is no key, no plan and no authorizer, and the principal must send events as API
        Gateway does. It is meant for tests and operators, not for clients, which need a key and nothing else.

        Args:
            grantee: who is allowed.

        Returns:
            The grant.
        """
        return self.alias.grant_invoke(grantee)
