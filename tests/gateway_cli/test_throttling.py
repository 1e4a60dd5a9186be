import datetime as dt

import pytest

from gateway_cli.local.throttling import Limiter, Quota, Throttle, Verdict

PASS, THROTTLED, QUOTA = Verdict.PASS, Verdict.THROTTLED, Verdict.QUOTA_EXCEEDED


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.day = dt.date(2026, 11, 22)

    def limiter(self) -> Limiter:
        return Limiter(clock=lambda: self.now, today=lambda: self.day)


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    limiter = clock.limiter()
    throttle: dict[object, Throttle] = {"key": Throttle(2, 3)}
    assert [limiter.take(throttle, {}) for _ in range(4)] == [PASS, PASS, PASS, THROTTLED]
    clock.now += 0.5
    assert [limiter.take(throttle, {}) for _ in range(2)] == [PASS, THROTTLED]
    clock.now += 60
    assert [limiter.take(throttle, {}) for _ in range(4)] == [PASS, PASS, PASS, THROTTLED]


def test_keys_have_buckets_of_their_own() -> None:
    limiter = Clock().limiter()
    throttle = Throttle(1, 1)
    assert [limiter.take({key: throttle}, {}) for key in ("a", "b", "a")] == [PASS, PASS, THROTTLED]


def test_a_refused_request_takes_nothing() -> None:
    clock = Clock()
    limiter = clock.limiter()
    quota: dict[object, Quota] = {"key": Quota(2, "DAY")}
    throttle: dict[object, Throttle] = {"key": Throttle(1, 1)}
    assert [limiter.take(throttle, quota) for _ in range(5)] == [PASS, *[THROTTLED] * 4]
    clock.now += 1
    assert limiter.take(throttle, quota) is PASS
    clock.now += 1
    assert limiter.take(throttle, quota) is QUOTA
    assert limiter.take(throttle, {}) is PASS


@pytest.mark.parametrize(
    ("period", "offset", "starts"),
    [
        ("DAY", 0, dt.date(2026, 11, 25)),
        ("WEEK", 0, dt.date(2026, 11, 22)),
        ("WEEK", 1, dt.date(2026, 11, 23)),
        ("WEEK", 4, dt.date(2026, 11, 19)),
        ("MONTH", 0, dt.date(2026, 11, 1)),
        ("MONTH", 27, dt.date(2026, 10, 28)),
    ],
)
def test_where_a_period_starts(period: str, offset: int, starts: dt.date) -> None:
    wednesday = dt.date(2026, 11, 25)
    assert Quota(1, period, offset).period_start(wednesday) == starts


def test_a_quota_starts_again_with_its_period() -> None:
    clock = Clock()
    limiter = clock.limiter()
    quota: dict[object, Quota] = {"key": Quota(1, "WEEK")}
    assert [limiter.take({}, quota) for _ in range(2)] == [PASS, QUOTA]
    clock.day += dt.timedelta(6)
    assert limiter.take({}, quota) is QUOTA
    clock.day += dt.timedelta(1)
    assert limiter.take({}, quota) is PASS
