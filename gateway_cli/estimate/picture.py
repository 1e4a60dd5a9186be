"""Draws cost against traffic, both logarithmic: the gateway beside containers, and where they cost the same. SVG, no script."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.crossover import Cost
from gateway_cli.estimate.report import Estimate, containers_cost, gateway_cost

_WIDTH, _HEIGHT = 960, 600
_LEAST, _MOST = 1, 7
"""Powers of ten of the requests a day that are drawn, at least."""

_POINTS = 12
"""Of a curve, for each power of ten."""

_COLOURS = ("#0b66c3", "#c2410c", "#15803d", "#111111")
_GREY = "#dddddd"


def draw(estimate: Estimate, file: Path) -> None:
    """Write the picture.

    Args:
        estimate: what is drawn.
        file: where to.

    Raises:
        CommandError: if it cannot be written, or is named as something else.
    """
    if file.suffix.lower() != ".svg":
        raise CommandError(f"--picture: it is an SVG, got {str(file)!r}; name it {file.with_suffix('.svg')}", status=MISTAKEN)
    try:
        file.write_bytes(picture(estimate))
    except OSError as error:
        raise CommandError(
            f"--picture: {str(file)!r} cannot be written ({error.strerror}); name a file in a directory that is there"
        ) from None


def _pygal() -> Any:
    """The library, which few need, without the finder for its maps, whose old kind makes Python warn of every later import."""
    import pygal  # type: ignore[import-untyped]  # noqa: PLC0415

    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]
    return pygal


def picture(estimate: Estimate) -> bytes:
    """The picture, the same bytes for the same estimate."""
    pygal = _pygal()
    from pygal.style import Style  # type: ignore[import-untyped]  # noqa: PLC0415

    asked = estimate.asked
    gateway = gateway_cost(asked.traffic, asked.deployment)
    others = [(one, containers_cost(asked.traffic, one.containers, asked.capacity)) for one in estimate.compared]
    marks = [one.cheaper_from for one in estimate.compared if one.cheaper_from is not None]
    least, most = _range((asked.traffic.requests_per_day, *marks))
    requests = [10 ** (step / _POINTS) for step in range(least * _POINTS, most * _POINTS + 1)]
    costs = [cost(at) for cost in (gateway, *(cost for _, cost in others)) for at in (requests[0], requests[-1])]
    chart = pygal.XY(
        style=Style(
            background="white",
            plot_background="white",
            foreground="#333333",
            foreground_strong="#000000",
            foreground_subtle=_GREY,
            colors=_COLOURS,
            value_colors=("#000000",) * len(_COLOURS),
            font_family="sans-serif",
            title_font_size=16,
            label_font_size=12,
            major_label_font_size=12,
            legend_font_size=13,
            value_label_font_size=12,
            guide_stroke_color=_GREY,
            guide_stroke_dasharray="1,0",
            major_guide_stroke_color=_GREY,
            major_guide_stroke_dasharray="1,0",
        ),
        js=[],
        logarithmic=True,
        width=_WIDTH,
        height=_HEIGHT,
        margin_right=50,
        show_dots=False,
        show_x_guides=True,
        print_labels=True,
        legend_at_bottom=True,
        legend_at_bottom_columns=1,
        title="Cost of an AI gateway against its traffic (estimate, list prices of us-east-1)",
        x_title="requests a day",
        y_title="USD a month, without tokens",
        x_value_formatter=lambda value: f"{value:,.0f}",
        value_formatter=lambda value: f"${value:,.0f}",
        x_labels=[10**power for power in range(least, most + 1)],
        y_labels=[10**power for power in range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1)],
        range=(10 ** math.floor(math.log10(min(costs))), 10 ** math.ceil(math.log10(max(costs)))),
    )
    # Otherwise it is another one each time, and so is the picture.
    chart.uuid = "estimate"
    memory = asked.deployment.memory_mb
    chart.add(f"this gateway, {memory} MB, {asked.traffic.seconds:g} s a request", _curve(gateway, requests))
    for one, cost in others:
        chart.add(one.containers.label, _curve(cost, requests))
    chart.add(
        "containers become cheaper",
        [{"value": (at, gateway(at)), "label": f"{at:,.0f} a day"} for at in marks],
        stroke=False,
        show_dots=True,
        dots_size=5,
    )
    return _without_scripts(chart.render())


def _without_scripts(svg: bytes) -> bytes:
    """Leave out what would answer a mouse: the library writes a script and its own address even if it is told to have none."""
    return re.sub(rb"<script.*?</script>|<!--.*?-->", b"", svg, flags=re.DOTALL)


def _curve(cost: Cost, requests: Iterable[float]) -> list[tuple[float, float]]:
    return [(at, cost(at)) for at in requests]


def _range(marked: Iterable[float]) -> tuple[int, int]:
    """The powers of ten that hold everything that is marked."""
    powers = [math.log10(at) for at in marked if at > 0]
    return min(_LEAST, *map(math.floor, powers), _LEAST), max(_MOST, *map(math.ceil, powers), _MOST)
