"""Who answers for each upstream: the provider itself where its key is in the environment, a stand-in elsewhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gateway_cli.console import Output
from lambda_runtime.config import CONFIG_FILE, AuthStyle, GatewayConfig, UpstreamConfig, WireFormat

STAND_IN_KEY = "stand-in"


def key_variable(upstream: UpstreamConfig) -> str:
    """The variable of the user's environment that may hold an upstream's key."""
    return upstream.name.upper().replace("-", "_") + "_API_KEY"


def read_config(directory: Path) -> GatewayConfig | None:
    """The configuration of a gateway's code; None if the directory has no gateway's code."""
    path = directory / CONFIG_FILE
    return GatewayConfig.from_json(path.read_text("utf-8")) if path.is_file() else None


def read_upstreams(directory: Path) -> Sequence[UpstreamConfig]:
    """The upstreams of a gateway's code; none if the directory has no gateway's code."""
    config = read_config(directory)
    return config.upstreams if config else ()


@dataclass(slots=True)
class UpstreamPlan:
    """What is decided about upstreams.

    Args:
        environment: the user's environment.
        stand_in: whether a stand-in answers for upstreams without a key.
        scratch: an existing directory for changed copies of code.
    """

    environment: Mapping[str, str]
    stand_in: bool
    scratch: Path
    stand_in_url: str | None = None
    """Where the stand-in is, once it runs."""
    _copies: dict[Path, Path] = field(default_factory=dict)

    def is_stood_in(self, upstream: UpstreamConfig) -> bool:
        """Whether the stand-in answers for an upstream. One that takes no key is left alone: it is on this network."""
        keyed = upstream.needs_key or upstream.federation is not None
        return self.stand_in and keyed and not self.environment.get(key_variable(upstream))

    def needs_stand_in(self, directories: Iterable[Path]) -> bool:
        """Whether the stand-in answers for any upstream of any of the codes."""
        return any(self.is_stood_in(upstream) for directory in directories for upstream in read_upstreams(directory))

    def key_for(self, upstream: UpstreamConfig) -> str | None:
        """The key to put into an upstream's secret, or None to leave it as it is."""
        if self.is_stood_in(upstream):
            return STAND_IN_KEY
        return self.environment.get(key_variable(upstream)) or None

    def prepare(self, directory: Path) -> Path:
        """The code that the workers run: the same, or a copy in which some upstreams' base URLs are the stand-in's.

        Federated upstreams take a key there: no provider trusts the embedded AWS.
        """
        config = read_config(directory)
        if config is None:
            return directory
        stood_in = (
            {upstream.name for upstream in config.upstreams if self.is_stood_in(upstream)} if self.stand_in_url else set()
        )
        changed_config = rewrite(config, stood_in, self.stand_in_url or "")
        if changed_config == config:
            return directory
        if directory not in self._copies:
            copy = Path(tempfile.mkdtemp(prefix="code-", dir=self.scratch)) / "task"
            # Times and permissions stay as they are, so that bytecode and the wrapper keep working.
            shutil.copytree(directory, copy)
            changed = copy / CONFIG_FILE
            changed.chmod(0o644)
            changed.write_text(changed_config.to_json(), "utf-8")
            self._copies[directory] = copy
        return self._copies[directory]


def rewrite(config: GatewayConfig, names: set[str], stand_in_url: str) -> GatewayConfig:
    """A gateway's configuration with the endpoints of some upstreams at the stand-in, and none federated."""
    paths = {WireFormat.OPENAI: "/v1", WireFormat.ANTHROPIC: "/anthropic"}

    def stood_in(upstream: UpstreamConfig) -> UpstreamConfig:
        upstream = with_stored_key(upstream)
        if upstream.name not in names:
            return upstream
        moved = (replace(endpoint, base_url=stand_in_url + paths[endpoint.wire_format]) for endpoint in upstream.endpoints)
        return replace(upstream, endpoints=tuple(moved))

    return replace(config, upstreams=tuple(map(stood_in, config.upstreams)))


def with_stored_key(upstream: UpstreamConfig) -> UpstreamConfig:
    """An upstream that takes a stored key in place of tokens; the same if it does so already."""
    if upstream.federation is None:
        return upstream
    endpoints = tuple(
        replace(endpoint, auth=AuthStyle.X_API_KEY if endpoint.auth is AuthStyle.ANTHROPIC_OAUTH else endpoint.auth)
        for endpoint in upstream.endpoints
    )
    return replace(upstream, endpoints=endpoints, federation=None)


def fill_secrets(
    secretsmanager: Any,
    plan: UpstreamPlan,
    upstreams: Iterable[UpstreamConfig],
    function_environment: Mapping[str, str],
    output: Output,
) -> dict[str, str]:
    """Put the upstreams' keys into the emulator's secrets.

    Args:
        secretsmanager: boto3 client of the emulator.
        plan: who answers for which upstream.
        upstreams: the gateway's upstreams, as the workers run them.
        function_environment: the function's environment as deployed.
        output: takes a notice for each upstream that will not work.

    Returns:
        Variables that replace the function's own, for secrets that the stacks do not create: those of other stacks, and of
        upstreams that are federated in AWS.
    """
    replaced: dict[str, str] = {}
    for upstream in upstreams:
        if not upstream.needs_key:
            continue
        key = plan.key_for(upstream)
        if key is None:
            output.notice(
                f"upstream {upstream.name!r} has no key and will fail: set {key_variable(upstream)} and start again, "
                f"or leave out --no-stand-in"
            )
            continue
        secret = function_environment.get(upstream.secret_variable)
        if not secret:
            name = f"local-gateway/{upstream.name}"
            replaced[upstream.secret_variable] = _made(secretsmanager, name, key)
            continue
        try:
            secretsmanager.put_secret_value(SecretId=secret, SecretString=key)
        except secretsmanager.exceptions.ResourceNotFoundException:
            # A secret that lives outside of these stacks: there is one of the same name here, with its own ARN.
            name = secret.rpartition(":secret:")[2] or secret
            replaced[upstream.secret_variable] = secretsmanager.create_secret(Name=name, SecretString=key)["ARN"]
    return replaced


def _made(secretsmanager: Any, name: str, key: str) -> str:
    """The ARN of a secret of this run, which several gateways with an upstream of that name share."""
    try:
        return str(secretsmanager.create_secret(Name=name, SecretString=key)["ARN"])
    except secretsmanager.exceptions.ResourceExistsException:
        return str(secretsmanager.put_secret_value(SecretId=name, SecretString=key)["ARN"])
