"""The command `ai-gateway doctor` and its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from gateway_cli.aws.connection import Connection, GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.gateways import Gateway, api_gateway, find_gateway
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.console import Output
from gateway_cli.doctor.checks import CHECKS, CLOCK, UPSTREAMS
from gateway_cli.doctor.clock import check_clock
from gateway_cli.doctor.findings import Finding, Level, examined, skipped
from gateway_cli.doctor.patient import Patient
from gateway_cli.doctor.rendering import findings_json, print_findings
from gateway_cli.errors import FAILED, CommandError, command_notes


def doctor(
    *,
    upstreams: Annotated[
        bool, typer.Option("--upstreams/--no-upstreams", help="Ask each upstream for its models with the gateway's key.")
    ] = True,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 for warnings, too.")] = False,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look a gateway through, and say of everything that is wrong with it which command mends it. It changes nothing.

    Ends with status 1 if something does not work. What you have no permission for is skipped, and said.
    """
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        connection = where.connect()
        # Before everything else: a clock that is far off is why nothing else works.
        findings = examined(CLOCK, check_clock(connection))
        try:
            found = _find(connection, where, notes)
        except (CommandError, BotoCoreError, ClientError):
            _show(None, findings, as_json=as_json)
            raise
        findings += _examine(Patient(where, connection, found), notes, upstreams=upstreams)
        _show(found, findings, as_json=as_json)
        failing = {Level.ERROR, Level.WARNING} if strict else {Level.ERROR}
        if any(finding.level in failing for finding in findings):
            raise typer.Exit(FAILED)


def _find(connection: Connection, where: Where, notes: Output) -> Gateway:
    found = find_gateway(connection, api_gateway(connection), stack=where.stack, gateway=where.gateway)
    notes.line(f"Gateway {found.path}, REST API {found.api} ({found.found})")
    return found


def _examine(patient: Patient, notes: Output, *, upstreams: bool) -> list[Finding]:
    findings: list[Finding] = []
    with notes.busy() as about_to:
        for check in CHECKS:
            about_to(f"looking at {check.name}")
            left_out = check is UPSTREAMS and not upstreams
            findings += examined(check.name, [skipped("", "--no-upstreams")] if left_out else check.find(patient))
    return findings


def _show(gateway: Gateway | None, findings: Sequence[Finding], *, as_json: bool) -> None:
    console = Console(highlight=False)
    if as_json:
        console.print_json(data=findings_json(gateway, findings))
    else:
        print_findings(console, findings)
