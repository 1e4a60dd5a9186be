"""Tries a key at the upstream, from here."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

from gateway_cli.credentials.desk import CredentialDesk
from gateway_cli.credentials.model import Credential
from gateway_cli.errors import CommandError
from gateway_cli.smoke.models import Verdict, ask_models
from lambda_runtime.config import AuthStyle, Endpoint, WireFormat

_SECONDS = 15.0


def require_taken(desk: CredentialDesk, credential: Credential, key: str, *, otherwise: str) -> None:
    """Ask the upstream for its models with a key, and refuse one that it refuses.

    Args:
        desk: the gateway's credentials.
        credential: whose key it is.
        key: the key.
        otherwise: the command that does the same without trying.

    Raises:
        CommandError: if the upstream refuses the key, or cannot be asked.
    """
    endpoint = _endpoint(desk, credential)
    if endpoint is None:
        desk.notes.notice(
            f"the key is not tried: a stand-in may answer for {credential.name} in a local gateway, and is not known from here"
        )
        return
    listed = ask_models(endpoint, key, _SECONDS)
    host = urlsplit(endpoint.base_url).hostname
    if listed.verdict is Verdict.REFUSED:
        raise CommandError(
            f"{host} refuses the key, and nothing was changed: {listed.text}. To do it all the same: {otherwise}"
        )
    if listed.verdict is Verdict.ACCEPTED:
        desk.notes.line(f"{host} takes the key.")
    elif listed.verdict is Verdict.NO_LIST:
        desk.notes.notice(f"{host} cannot tell whether the key is right: {listed.text}; it is taken as it is")
    else:
        raise CommandError(
            f"{host} cannot be asked whether the key is right, and nothing was changed: {listed.text}. From a machine that has "
            f"no way to it: {otherwise}"
        )


def _endpoint(desk: CredentialDesk, credential: Credential) -> Endpoint | None:
    """Where the key is tried; None if that is not known."""
    keyed = [one for one in credential.upstream.endpoints if one.auth is not AuthStyle.NONE]
    endpoint = next((one for one in keyed if one.wire_format is WireFormat.OPENAI), keyed[0])
    if not desk.rotations.embedded:
        return endpoint
    if credential.rotation is not None:
        # The local gateway has written there who really answers.
        models = endpoint.models_url.removeprefix(endpoint.base_url)
        return replace(endpoint, base_url=credential.rotation.url.removesuffix(models))
    return endpoint if _is_here(urlsplit(endpoint.base_url).hostname or "") else None


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
