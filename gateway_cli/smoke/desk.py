"""What a smoke test begins with: who is tested, found through AWS or described by the options, and with which key."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.aws.configurations import UnknownConfigurationError, read_function_configurations
from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import Gateway, api_gateway, find_gateway
from gateway_cli.aws.log_groups import log_group
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError, explain
from gateway_cli.key_input import read_key
from gateway_cli.keys.desk import KeyDesk
from gateway_cli.keys.desk import open_desk as open_keys
from gateway_cli.smoke.address import url_of
from gateway_cli.smoke.gateway import Tested
from gateway_cli.smoke.plan import mapped_models
from gateway_cli.smoke.presets import PRESETS, described
from lambda_runtime.config import AuthStyle, Endpoint, GatewayConfig, Operation, UpstreamConfig, WireFormat

KEY_VARIABLE = "AI_GATEWAY_KEY"
"""Environment variable with a key of the gateway."""


def described_upstream(
    name: str, base_url: str, wire_format: WireFormat | None, auth: AuthStyle | None, where: Where
) -> UpstreamConfig:
    """An upstream as the options describe it.

    Raises:
        CommandError: if they do not, or contradict each other.
    """
    if where.options:
        raise CommandError("--base-url says where the upstream is; leave out the options that find a gateway", status=MISTAKEN)
    if wire_format is None:
        raise CommandError("say with --format what the upstream at --base-url speaks: openai or anthropic", status=MISTAKEN)
    try:
        return described(name, base_url.rstrip("/"), wire_format, auth)
    except ValueError as error:
        raise CommandError(str(error), status=MISTAKEN) from None


def asked_upstream(name: str, where: Where, notes: Output) -> tuple[UpstreamConfig, Sequence[GatewayConfig]]:
    """An upstream of the gateway, or a well-known provider if no gateway was meant and none is found.

    Returns:
        The upstream, and the configurations of the gateway; none for a provider.

    Raises:
        CommandError: if there is none of that name.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    try:
        configurations = _configurations(where, notes)
    except (CommandError, BotoCoreError, ClientError) as error:
        if where.options or name not in PRESETS:
            raise
        why = explain(error) if isinstance(error, BotoCoreError | ClientError) else str(error).splitlines()[0]
        notes.notice(f"no gateway is asked ({why}); {name} is tested where the construct's preset has it")
        return PRESETS[name], ()
    found = {upstream.name: upstream for config in reversed(configurations) for upstream in config.upstreams}
    if name in found:
        if found[name].federation is not None:
            raise CommandError(
                f"{name} takes short-lived tokens that only the gateway's function can get; test it through the gateway: "
                f"ai-gateway smoke gateway{where.options}"
            )
        return found[name], configurations
    if name in PRESETS and not where.options:
        notes.notice(f"the gateway has no upstream {name!r}; it is tested where the construct's preset has it")
        return PRESETS[name], ()
    close = difflib.get_close_matches(name, found, n=1, cutoff=0.7)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise CommandError(
        f"the gateway has no upstream {name!r}{hint} (its upstreams: {', '.join(found)}); describe another one with --base-url "
        "and --format",
        status=MISTAKEN,
    )


def asked_model(upstream: UpstreamConfig, configurations: Sequence[GatewayConfig]) -> str | None:
    """The first model that a model map sends to an upstream, by the upstream's own name."""
    for config in configurations:
        for route in config.models.values():
            for target in route.ordered:
                if target.upstream == upstream.name:
                    return target.model
    return None


def given_url(url: str, models: Sequence[str], *, timeout: float, notes: Output) -> Tested:
    """A gateway whose address is given.

    Raises:
        CommandError: if it is none, or there is no key.
    """
    address = url.rstrip("/").removesuffix("/v1")
    try:
        # The same rules as for an upstream's: no query, no key in it.
        Endpoint(base_url=address, auth=AuthStyle.BEARER, operations=(Operation.CHAT_COMPLETIONS,))
    except ValueError as error:
        raise CommandError(f"--url: {error}", status=MISTAKEN) from None
    return Tested(
        url=address,
        key=read_key("the gateway", notes, variable=KEY_VARIABLE),
        models=models,
        configurations=(),
        timeout=timeout,
        find_in_logs=_look_in_the_log,
    )


def found_gateway(
    where: Where,
    models: Sequence[str],
    *,
    consumer: str | None,
    timeout: float,
    notes: Output,
) -> Tested:
    """A gateway that is found through AWS.

    Raises:
        CommandError: if it cannot be told which one is meant, or there is no key.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    desk = open_keys(where, notes)
    url = url_of(desk.connection, desk.store.apigateway, desk.gateway, notes)
    notes.line(f"It takes requests at {url}")
    configurations: Sequence[GatewayConfig] = ()
    try:
        configurations = _read(desk.connection, desk.gateway)
    except CommandError as error:
        notes.notice(f"the model map is not known, so that the first model is asked that the gateway lists: {error}")
    return Tested(
        url=url,
        key=_key_of(desk, consumer) if consumer else read_key("the gateway", notes, variable=KEY_VARIABLE),
        models=models or mapped_models(configurations),
        configurations=configurations,
        timeout=timeout,
        find_in_logs=_log_search(desk.connection, desk.gateway, where),
    )


def _configurations(where: Where, notes: Output) -> list[GatewayConfig]:
    connection = where.connect()
    gateway = find_gateway(connection, api_gateway(connection), stack=where.stack, gateway=where.gateway)
    notes.line(f"Gateway {gateway.path}, REST API {gateway.api} ({gateway.found})")
    return _read(connection, gateway)


def _read(connection: Connection, gateway: Gateway) -> list[GatewayConfig]:
    if not gateway.function:
        raise CommandError(f"the REST API {gateway.api} does not name its function; deploy the gateway's stack once more")
    try:
        return read_function_configurations(connection, gateway.function)
    except UnknownConfigurationError as error:
        raise CommandError(str(error)) from None


def _key_of(desk: KeyDesk, consumer: str) -> str:
    keys = [key for key in desk.keys_of(consumer)[0] if key.enabled]
    if not keys:
        raise CommandError(f"{consumer!r} has no key that works; to make one: {desk.command('create', consumer)}")
    # The newest: of two the other one is being replaced.
    newest = max(keys, key=lambda key: key.created)
    value = desk.store.apigateway.get_api_key(apiKey=newest.id, includeValue=True)["value"]
    desk.notes.line(f"The key is {newest.consumer}'s, {newest.id}.")
    return str(value)


def _log_search(connection: Connection, gateway: Gateway, where: Where) -> Callable[[str], str]:
    if connection.local:
        return lambda id_: f"'ai-gateway local --verbose' prints the function's log; look there for {id_}"

    if not gateway.function:
        return _look_in_the_log

    def search(id_: str) -> str:
        try:
            function = connection.client("lambda").get_function_configuration(FunctionName=gateway.function)
        except (BotoCoreError, ClientError):
            return _look_in_the_log(id_)
        words = ("--log-group-name", log_group(function), "--filter-pattern", f'"{id_}"')
        options = Where(region=connection.session.region_name, profile=where.profile).options
        return f"aws logs filter-log-events {shlex.join(words)}{options}"

    return search


def _look_in_the_log(id_: str) -> str:
    return f'look in the log of the gateway\'s function for request_id = "{id_}"'
