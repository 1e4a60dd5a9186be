import io

import pytest
from rich.console import Console

from gateway_cli.console import Output


def test_errors_go_to_standard_error_and_the_rest_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.notice("something [b]worth[/b] knowing")
    output.error("something [wrong]")
    with output.step("Working"):
        pass
    printed = capsys.readouterr()
    assert printed.err == "error: something [wrong]\n"
    assert printed.out.splitlines()[:2] == ["note: something [b]worth[/b] knowing", "==> Working"]
    assert "\x1b" not in printed.out + printed.err


def test_no_colours_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    printed = io.StringIO()
    output = Output(console=Console(file=printed, force_terminal=True, highlight=False))
    output.error("wrong")
    output.notice("known")
    with output.step("Working"):
        pass
    assert not any(f"\x1b[{colour}m" in printed.getvalue() for colour in range(30, 38))


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_being_done_is_shown_on_a_terminal_only(terminal: bool) -> None:
    shown = io.StringIO()
    with Output(console=Console(file=shown, force_terminal=terminal)).busy() as about_to:
        about_to("asking [nobody]")
    assert ("asking [nobody] …" in shown.getvalue()) is terminal
