"""The deployable gateway: one stack, configured by the block `ai-gateway` in cdk.json, see docs/app.md."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

# A process of two seconds has nothing to collect, and walking the CDK's many objects again and again takes a tenth of them.
gc.disable()

from aws_cdk import App  # noqa: E402

from gateway_app.context import KEY, read_context  # noqa: E402
from gateway_app.stack import GatewayStack  # noqa: E402


def main() -> None:
    """Synthesize. Run without the CLI, it reads cdk.json itself; what the CLI says comes first."""
    defaults = json.loads(Path(__file__).with_name("cdk.json").read_text("utf-8"))["context"]
    # Stack traces would be those of the CDK's JavaScript.
    app = App(context=defaults, stack_traces=False)
    try:
        context = read_context(app.node.try_get_context(KEY))
        stack = GatewayStack(app, context)
    except ValueError as error:
        # The construct's own checks, too: all that it is given comes from there.
        sys.exit(f"error in the app's context (cdk.json, or -c): {error}")
    # This variable switches the CDK's own validation off, which takes its time. The same goes for cdk-nag.
    if os.environ.get("CDK_VALIDATION") != "false":
        from gateway_app.checks import add_checks  # noqa: PLC0415

        federated = any(entry.upstream.config.federation for entry in context.upstreams)
        add_checks(app, stack.gateway, tracing=bool(context.settings.get("tracing")), federated=federated)
    app.synth()


if __name__ == "__main__":
    main()
