"""Who answers for each upstream: the provider itself where its key is in the environment, a stand-in elsewhere."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_cli.local.console import Output

CONFIG_FILE = "gateway.json"
STAND_IN_KEY = "stand-in"

_ANTHROPIC_OPERATIONS = "/v1/messages"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """An upstream of a gateway, as its configuration file names it.

    Args:
        name: its name.
        needs_key: whether one of its endpoints takes a key.
    """

    name: str
    needs_key: bool

    @property
    def key_variable(self) -> str:
        """The variable of the user's environment that may hold its key."""
        return self._variable + "_API_KEY"

    @property
    def secret_variable(self) -> str:
        """The variable of the function's environment that names its secret."""
        return "UPSTREAM_SECRET_" + self._variable

    @property
    def _variable(self) -> str:
        return self.name.upper().replace("-", "_")


def read_upstreams(directory: Path) -> list[Upstream]:
    """The upstreams of a gateway's code; none if the directory has no gateway's code."""
    path = directory / CONFIG_FILE
    if not path.is_file():
        return []
    return [
        Upstream(name=upstream["name"], needs_key=any(endpoint.get("auth") for endpoint in upstream["endpoints"]))
        for upstream in json.loads(path.read_text("utf-8"))["upstreams"]
    ]


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

    def is_stood_in(self, upstream: Upstream) -> bool:
        """Whether the stand-in answers for an upstream. One that takes no key is left alone: it is on this network."""
        return self.stand_in and upstream.needs_key and not self.environment.get(upstream.key_variable)

    def needs_stand_in(self, directories: Iterable[Path]) -> bool:
        """Whether the stand-in answers for any upstream of any of the codes."""
        return any(self.is_stood_in(upstream) for directory in directories for upstream in read_upstreams(directory))

    def key_for(self, upstream: Upstream) -> str | None:
        """The key to put into an upstream's secret, or None to leave it as it is."""
        if self.is_stood_in(upstream):
            return STAND_IN_KEY
        return self.environment.get(upstream.key_variable) or None

    def prepare(self, directory: Path) -> Path:
        """The code that the workers run: the same, or a copy in which some upstreams' base URLs are the stand-in's."""
        stood_in = {upstream.name for upstream in read_upstreams(directory) if self.is_stood_in(upstream)}
        if not stood_in or self.stand_in_url is None:
            return directory
        if directory not in self._copies:
            copy = Path(tempfile.mkdtemp(prefix="code-", dir=self.scratch)) / "task"
            # Times and permissions stay as they are, so that bytecode and the wrapper keep working.
            shutil.copytree(directory, copy)
            config = copy / CONFIG_FILE
            text = rewrite(config.read_text("utf-8"), stood_in, self.stand_in_url)
            config.chmod(0o644)
            config.write_text(text, "utf-8")
            self._copies[directory] = copy
        return self._copies[directory]


def rewrite(config: str, names: set[str], stand_in_url: str) -> str:
    """A gateway's configuration with the endpoints of some upstreams at the stand-in, everything else as it is."""
    data: dict[str, Any] = json.loads(config)
    for upstream in data["upstreams"]:
        if upstream["name"] in names:
            for endpoint in upstream["endpoints"]:
                anthropic = endpoint["operations"][0].startswith(_ANTHROPIC_OPERATIONS)
                endpoint["base_url"] = f"{stand_in_url}/anthropic" if anthropic else f"{stand_in_url}/v1"
    return json.dumps(data, indent=1)


def fill_secrets(
    secretsmanager: Any,
    plan: UpstreamPlan,
    upstreams: Iterable[Upstream],
    function_environment: Mapping[str, str],
    output: Output,
) -> dict[str, str]:
    """Put the upstreams' keys into the emulator's secrets.

    Args:
        secretsmanager: boto3 client of the emulator.
        plan: who answers for which upstream.
        upstreams: the gateway's upstreams.
        function_environment: the function's environment as deployed.
        output: takes a notice for each upstream that will not work.

    Returns:
        Variables that replace the function's own, for secrets that the stacks do not create.
    """
    replaced: dict[str, str] = {}
    for upstream in upstreams:
        secret = function_environment.get(upstream.secret_variable)
        if not upstream.needs_key or not secret:
            continue
        key = plan.key_for(upstream)
        if key is None:
            output.notice(
                f"upstream {upstream.name!r} has no key and will fail: set {upstream.key_variable} and start again, "
                f"or leave out --no-stand-in"
            )
            continue
        try:
            secretsmanager.put_secret_value(SecretId=secret, SecretString=key)
        except secretsmanager.exceptions.ResourceNotFoundException:
            # A secret that lives outside of these stacks: there is one of the same name here, with its own ARN.
            name = secret.rpartition(":secret:")[2] or secret
            replaced[upstream.secret_variable] = secretsmanager.create_secret(Name=name, SecretString=key)["ARN"]
    return replaced
