"""Where a gateway takes requests: its custom domain if it has one, else API Gateway's address; of a local one its port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import Gateway, listed
from gateway_cli.console import Output
from gateway_cli.errors import CommandError, is_denied

_WHOLE_DOMAIN = "(none)"
_NAME_IT = "name its address with --url"


def url_of(connection: Connection, apigateway: Any, gateway: Gateway, notes: Output) -> str:
    """A gateway's address, without a trailing slash.

    Args:
        connection: where the gateway is.
        apigateway: boto3 client.
        gateway: the gateway.
        notes: is told what else is to be known of the address.

    Raises:
        CommandError: if it cannot be told.
        ClientError: if AWS refuses to tell.
    """
    if connection.local:
        return _local_url(connection, gateway)
    api = apigateway.get_rest_api(restApiId=gateway.api)
    try:
        domain = next(_domains(apigateway, gateway.api), None)
    except ClientError as error:
        if not is_denied(error):
            raise
        domain = None
        notes.notice("without the permission apigateway:GET on /domainnames, a custom domain is not seen")
    if domain:
        return domain
    if api.get("disableExecuteApiEndpoint"):
        raise CommandError(f"the REST API {gateway.api} is reached through its domain only, which is not found; {_NAME_IT}")
    host = gateway.api
    configuration = api.get("endpointConfiguration") or {}
    if "PRIVATE" in configuration.get("types", ()):
        host = "-".join([gateway.api, *configuration.get("vpcEndpointIds", ())[:1]])
        notes.notice("the gateway is private: it is reached from its VPC only")
    return f"https://{host}.execute-api.{connection.session.region_name}.{_suffix(connection)}/{_stage(apigateway, gateway)}"


def _local_url(connection: Connection, gateway: Gateway) -> str:
    run = connection.local
    urls = dict(zip(run.gateways, run.urls, strict=False)) if run else {}
    found = urls.get(gateway.path) or next(iter(urls.values()), "") if len(urls) < 2 else urls.get(gateway.path)  # noqa: PLR2004
    if not found:
        raise CommandError(f"where the local gateway {gateway.path} takes requests is not known; {_NAME_IT}, as it printed it")
    return found


def _domains(apigateway: Any, api: str) -> Iterator[str]:
    for domain in listed(apigateway, "get_domain_names"):
        name = domain["domainName"]
        for mapping in listed(apigateway, "get_base_path_mappings", domainName=name):
            if mapping.get("restApiId") == api:
                path = mapping.get("basePath") or _WHOLE_DOMAIN
                yield f"https://{name}" + ("" if path == _WHOLE_DOMAIN else f"/{path}")


def _stage(apigateway: Any, gateway: Gateway) -> str:
    stages = [stage["stageName"] for stage in apigateway.get_stages(restApiId=gateway.api)["item"]]
    if not stages:
        raise CommandError(f"the REST API {gateway.api} has no stage: it was never deployed; deploy its stack")
    return str(stages[0])


def _suffix(connection: Connection) -> str:
    return "amazonaws.com.cn" if str(connection.session.region_name).startswith("cn-") else "amazonaws.com"
