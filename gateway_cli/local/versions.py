"""Which version of a function answers, with which code and environment: read from the emulator while the gateway runs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway_cli.aws.embedded import CREDENTIALS
from gateway_cli.console import Output
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.refreshed import Refreshed
from gateway_cli.local.worker import FunctionVersion
from gateway_cli.local.zips import unzip_directory

_KEPT_FROM_MACHINE = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(slots=True)
class CodeStore:
    """Unpacked code by the digest that Lambda gives it, ready for the workers.

    Args:
        directories: code that is on this machine already, by base64 SHA-256 of its zip.
        scratch: an existing directory for what must be unpacked.
        prepare: makes the directory that the workers run from an unpacked one.
    """

    directories: Mapping[str, Path]
    scratch: Path
    prepare: Callable[[Path], Path]
    _prepared: dict[str, Path] = field(default_factory=dict)

    def directory(self, digest: str, location: str) -> Path:
        """The directory with that code.

        Args:
            digest: base64 SHA-256 of the zip.
            location: URL of the zip, for code that is not here yet.

        Raises:
            LocalGatewayError: if the URL has other code.
        """
        if digest not in self._prepared:
            unpacked = self.directories.get(digest) or self._download(digest, location)
            self._prepared[digest] = self.prepare(unpacked)
        return self._prepared[digest]

    def _download(self, digest: str, location: str) -> Path:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(location, timeout=30) as reply:
            content: bytes = reply.read()
        if base64.b64encode(hashlib.sha256(content).digest()).decode() != digest:
            # The emulator keeps the newest code of a function only.
            raise LocalGatewayError(f"the code {digest} has been replaced by newer code before it was first used")
        directory = self.scratch / hashlib.sha256(digest.encode()).hexdigest()[:16]
        directory.mkdir(exist_ok=True)
        unzip_directory(content, directory)
        return directory


@dataclass(frozen=True, slots=True)
class _Routing:
    version: str
    weights: Mapping[str, float]


class Versions:
    """Chooses the version for each invocation of a function through an alias, as its weights say.

    Args:
        emulator: where the function stands.
        code: the store of unpacked code.
        function_name: name of the function.
        qualifier: an alias, a version number, or None for `$LATEST`.
        region: the function's Region.
        overrides: environment variables that replace the function's own.
        output: takes a notice for a version that the emulator does not have.
        draw: random number from 0 up to 1.
    """

    def __init__(
        self,
        emulator: Emulator,
        code: CodeStore,
        *,
        function_name: str,
        qualifier: str | None,
        region: str,
        overrides: Mapping[str, str],
        output: Output,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._emulator = emulator
        self._lambda = emulator.client("lambda", region=region)
        self._code = code
        self._name = function_name
        self._qualifier = qualifier
        self._region = region
        self._overrides = overrides
        self._output = output
        self._draw = draw
        self._routing = Refreshed(self._read_routing)
        self._missing: set[str] = set()
        self._known: dict[str, FunctionVersion] = {}

    async def choose(self) -> FunctionVersion:
        """The version for one invocation.

        Raises:
            LocalGatewayError: if its code is not to be had.
        """
        routing = await self._routing.get()
        chosen = choose_version(routing.version, routing.weights, self._draw())
        if chosen not in self._known:
            self._known[chosen] = await asyncio.to_thread(self._read_version, chosen)
        return self._known[chosen]

    def _read_routing(self) -> _Routing:
        if self._qualifier is None or self._qualifier.isdigit():
            return _Routing(self._qualifier or "$LATEST", {})
        alias = self._lambda.get_alias(FunctionName=self._name, Name=self._qualifier)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        routing = _Routing(alias["FunctionVersion"], {version: float(weight) for version, weight in weights.items()})
        # At once, while the emulator still has the code: it keeps the newest of each function only.
        for version in {routing.version, *routing.weights} - self._known.keys():
            try:
                self._known[version] = self._read_version(version)
            except self._lambda.exceptions.ResourceNotFoundException:
                return self._without(version, routing)
        return routing

    def _without(self, missing: str, routing: _Routing) -> _Routing:
        """A release names the stable version of the account that it is meant for. Here every version is new."""
        others = [version for version in (routing.version, *routing.weights) if version != missing]
        if missing not in self._missing:
            self._missing.add(missing)
            self._output.notice(
                f"version {missing} of {self._name} is not in the embedded AWS; version {others[0]} gets every request"
            )
        return _Routing(others[0], {})

    def _read_version(self, version: str) -> FunctionVersion:
        function = self._lambda.get_function(FunctionName=self._name, Qualifier=version)
        configuration = function["Configuration"]
        directory = self._code.directory(configuration["CodeSha256"], function["Code"]["Location"])
        qualifier = self._qualifier or version
        arn = configuration["FunctionArn"]
        base = ":".join(arn.split(":")[:7])
        return FunctionVersion(
            name=self._name,
            version=version,
            arn=f"{base}:{qualifier}",
            directory=directory,
            environment={
                **{name: value for name in _KEPT_FROM_MACHINE if (value := os.environ.get(name))},
                **(configuration.get("Environment") or {}).get("Variables", {}),
                **self._overrides,
                **CREDENTIALS,
                "_HANDLER": configuration["Handler"],
                "AWS_REGION": self._region,
                "AWS_DEFAULT_REGION": self._region,
                "AWS_ENDPOINT_URL": self._emulator.endpoint_url,
                "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
                "AWS_LAMBDA_FUNCTION_NAME": self._name,
                "AWS_LAMBDA_FUNCTION_VERSION": version,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self._name}",
                "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[{version}]",
                "LAMBDA_RUNTIME_DIR": "/var/runtime",
                "TZ": ":UTC",
            },
            timeout=float(configuration["Timeout"]),
        )


def choose_version(version: str, weights: Mapping[str, float], draw: float) -> str:
    """The version for one invocation through an alias.

    Args:
        version: the alias's main version, which takes what the weights leave.
        weights: share of further versions, 0 to 1.
        draw: random number from 0 up to 1.
    """
    for other, weight in weights.items():
        if draw < weight:
            return other
        draw -= weight
    return version
