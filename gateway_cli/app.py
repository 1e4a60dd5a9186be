"""The commands of `ai-gateway` and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway_cli.budgets.command import app as budgets
from gateway_cli.credentials.command import app as credentials
from gateway_cli.doctor.command import doctor
from gateway_cli.estimate.command import estimate_
from gateway_cli.keys.command import app as keys
from gateway_cli.local.command import DEFAULT_WORKERS, LocalOptions, run_local
from gateway_cli.release.command import app as release
from gateway_cli.smoke.command import app as smoke
from gateway_cli.upstreams.command import app as upstreams
from gateway_cli.usage.command import usage

app = typer.Typer(
    name="ai-gateway",
    help="Work with AI gateways built by the cdk-ai-gateway construct.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.add_typer(budgets, name="budgets")
app.add_typer(credentials, name="credentials")
app.add_typer(keys, name="keys")
app.add_typer(release, name="release")
app.add_typer(smoke, name="smoke")
app.add_typer(upstreams, name="upstreams")
app.command()(usage)
app.command()(doctor)
app.command("estimate")(estimate_)


@app.callback()
def commands() -> None:
    """Work with AI gateways built by the cdk-ai-gateway construct."""


@app.command()
def local(
    assembly: Annotated[Path, typer.Option(help="The cloud assembly that `cdk synth` wrote.")] = Path("cdk.out"),
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port of the first gateway, on 127.0.0.1; further ones follow it. 0 takes a free one."
        ),
    ] = 8080,
    stack: Annotated[
        list[str] | None, typer.Option(help="Deploy this stack only. May be repeated. Default: every stack.")
    ] = None,
    *,
    stand_in: Annotated[
        bool,
        typer.Option(help="Let a stand-in provider answer for upstreams without a <NAME>_API_KEY in the environment."),
    ] = True,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Function instances at once, which is the number of requests served at once."),
    ] = DEFAULT_WORKERS,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="Write URL, keys and the emulator's endpoint to this JSON file when requests are taken."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Deploy again whenever `cdk synth` has written the assembly anew.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print each request and everything the function prints.")
    ] = False,
) -> None:
    """Serve the gateways of a cloud assembly on this machine, without an AWS account."""
    raise typer.Exit(
        run_local(
            LocalOptions(
                assembly=assembly,
                port=port,
                stacks=tuple(stack or ()),
                stand_in=stand_in,
                workers=workers,
                ready_file=ready_file,
                watch=watch,
                verbose=verbose,
            )
        )
    )
