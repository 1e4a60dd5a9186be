import pytest

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.times import clock_time, duration_of, seconds_of, timestamp

NOW = 1_800_000_000.0


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400), (" 5m ", 300)])
def test_durations(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-1m", "0s", "1.5h", "10min", "99999999s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(CommandError, match="a number and a unit, as in 30s, 10m, 2h or 1d") as caught:
        seconds_of(text)
    assert caught.value.status == MISTAKEN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.4, "0 s"), (59.6, "1 m"), (90, "1 m 30 s"), (3600, "1 h"), (3605, "1 h"), (90_061, "1 d 1 h"), (-3, "0 s")],
)
def test_how_durations_are_told(seconds: float, text: str) -> None:
    assert duration_of(seconds) == text


def test_another_days_time_has_a_date() -> None:
    assert len(clock_time(NOW, NOW)) == len("08:00:00")
    assert len(clock_time(NOW - 90_000, NOW)) == len("2027-01-14 08:00:00")


def test_scripts_read_utc() -> None:
    assert timestamp(NOW) == "2027-01-15T08:00:00Z"
