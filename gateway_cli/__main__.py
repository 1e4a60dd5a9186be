"""Entry point of the `ai-gateway` command."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command, or say which extra installs what it needs."""
    try:
        # Ctrl-C from here on until the command handles it is an end, too, and needs no traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from gateway_cli.app import app  # noqa: PLC0415 - so that a missing extra gives a sentence, not a traceback

        app()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"aiohttp", "boto3", "botocore", "rich", "typer"}:
            raise
        sys.exit(f"ai-gateway needs the package {error.name!r}; install it with: pip install 'cdk-ai-gateway[cli]'")


if __name__ == "__main__":
    main()
