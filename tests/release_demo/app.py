"""The app that is released: `python -m tests.release_demo.app DIRECTORY HOOKS BAKE_SECONDS WEIGHT`."""

from __future__ import annotations

import sys

from aws_cdk import App, Duration, Stack

from gateway_construct import AiGateway, Canary, Upstream
from tests.release_demo.plan import MODELS, RAMP, RAMP_SECONDS


def synthesize(directory: str, hooks: str, bake: int, weight: float) -> None:
    """Write the cloud assembly.

    Args:
        directory: where it goes.
        hooks: the directory with the team's own code, which is what changes from version to version.
        bake: seconds with the first share.
        weight: the first share.
    """
    app = App(outdir=directory)
    stack = Stack(app, "Release")
    gateway = AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai()],
        models={model: ["openai/gpt-4.1"] for model in MODELS},
        hooks=hooks,
        release=Canary(weight=weight, bake=Duration.seconds(bake), ramp=RAMP, ramp_interval=Duration.seconds(RAMP_SECONDS)),
    )
    gateway.add_consumer("clients")
    app.synth()


if __name__ == "__main__":
    synthesize(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
