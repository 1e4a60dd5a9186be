"""Where AWS's services are: Region and URL, from an ARN and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-iso": "c2s.ic.gov", "aws-iso-b": "sc2s.sgov.gov", "aws-eusc": "amazonaws.eu"}
_PARTITIONS = {"cn-": "aws-cn", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b", "eusc-": "aws-eusc"}
"""Partitions by the beginning of their Regions' names."""

_ARN_PARTS = 6


class AwsEndpoint(NamedTuple):
    """Where a service is asked.

    Args:
        region: the Region that requests are signed for.
        url: with a slash at its end.
    """

    region: str
    url: str


def aws_endpoint(service: str, variable: str, environ: Mapping[str, str], resource: str = "") -> AwsEndpoint:
    """Where a service is asked about a resource.

    Args:
        service: first label of the service's host name, for example `secretsmanager`.
        variable: the environment variable with the service's URL, for emulators. It goes before `AWS_ENDPOINT_URL`.
        environ: environment variables; `AWS_REGION` is the function's own.
        resource: its ARN, which knows Region and partition: a resource handed in may be in another Region than ours. Default:
            ours; so for a name that is no ARN.
    """
    arn = resource.split(":")
    if len(arn) >= _ARN_PARTS and arn[0] == "arn":
        partition, region = arn[1], arn[3]
    else:
        region = environ.get("AWS_REGION", "us-east-1")
        partition = next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
    for name in (variable, "AWS_ENDPOINT_URL"):
        if url := environ.get(name):
            return AwsEndpoint(region, url.rstrip("/") + "/")
    return AwsEndpoint(region, f"https://{service}.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}/")
