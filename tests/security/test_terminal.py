"""What commands print gives no orders to a terminal: models are named by clients, and what goes wrong by upstreams."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable
from typing import Any, cast

import pytest
from rich.console import Console
from rich.text import Text

from gateway_cli.aws.where import Where
from gateway_cli.console import Output, harmless, plain_table
from gateway_cli.doctor.circuits import _of_state
from gateway_cli.doctor.findings import warning
from gateway_cli.doctor.patient import Patient
from gateway_cli.doctor.rendering import print_findings
from gateway_cli.upstreams.desk import Desk
from gateway_cli.upstreams.rendering import print_status
from gateway_cli.upstreams.status import Line
from gateway_cli.upstreams.store import Figures
from lambda_runtime.state.operator_actions import StateItem

ORDERS = [
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",
    "\x08\x08\x08",
    "\r",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u2028",
]


def printed(show: Callable[[Console], None]) -> str:
    """What a terminal without colours is sent."""
    file = io.StringIO()
    show(Console(file=file, width=200, force_terminal=True, color_system=None, highlight=False))
    return file.getvalue()


def safe(text: str) -> bool:
    return not any(order[0] in text for order in ORDERS)


@pytest.mark.parametrize("order", ORDERS)
def test_lines(order: str) -> None:
    def show(console: Console) -> None:
        output = Output(console=console, verbose=True)
        for say in (output.line, output.heading, output.notice, output.error, output.detail):
            say(f"a{order}b [red]c[/] [link=https://evil.example]d[/link]")

    text = printed(show)
    assert safe(text)
    assert text.count("[link=https://evil.example]d[/link]") == 5


@pytest.mark.parametrize("order", ORDERS)
def test_tables(order: str) -> None:
    def show(console: Console) -> None:
        table = plain_table()
        table.add_column("a")
        table.add_column("b")
        table.add_row(Text(f"x{order}", style="bold"), f"y{order}")
        console.print(table)

    text = printed(show)
    assert safe(text)
    assert "x" in text
    assert "y" in text


@pytest.mark.parametrize("order", ORDERS)
def test_models_that_clients_have_named(order: str) -> None:
    """One that fails five times has a breaker, and stands in the table by the name that the client gave it."""
    state = StateItem(f"openai/gpt{order}", "open", 1.0, 2.0, openings=1, by=f"5 failures{order}")
    line = Line(name=f"openai/gpt{order}", state=state, inherited=False, figures=Figures(7, 5))
    assert safe(printed(lambda console: print_status(console, [line], [], 1.5)))


@pytest.mark.parametrize("order", ORDERS)
def test_findings(order: str) -> None:
    finding = warning(f"openai/gpt{order}", f"its circuit is open{order}", f"ai-gateway upstreams close 'x{order}'")
    assert safe(printed(lambda console: print_findings(console, [finding])))


@pytest.mark.parametrize(
    "name", ["openai/$(touch x)", "openai/`id`", "openai/a b;c|d", "openai/'\"", "openai/-rf", "openai/\\"]
)
def test_commands_to_copy_are_quoted(name: str) -> None:
    """A shell takes the name that a client has given for one word."""
    patient = Patient(Where(region="eu-west-1"), cast("Any", None), cast("Any", None))
    close = _of_state(patient, StateItem(name, "open", 1.0, None, by="operator"), 2.0).mend[0]
    assert shlex.split(close) == ["ai-gateway", "upstreams", "close", name, "--region", "eu-west-1"]
    desk = Desk(where=Where(), table=cast("Any", None), store=cast("Any", None), configurations=(), notes=Output())
    assert shlex.split(desk.closing(name)) == ["ai-gateway", "upstreams", "close", name]


def test_what_is_harmless_stays_as_it_is() -> None:
    text = "gpt-4.1\té \u4e2d\U0001f600\n[1] 'a' \\x1b"
    assert harmless(text) == text
    assert len(harmless("".join(ORDERS))) == len("".join(ORDERS))
