"""Tells CloudWatch which upstreams requests are kept away from.

Whoever opens or closes a circuit says so, and not everybody who notices: a line for each change, not one for each instance. Who
has said that one is open says so again each minute for as long as it is, and says that it no longer is, whoever closed it: an
operator, another instance, or time.
"""

from __future__ import annotations

from lambda_runtime.metric_lines import write_circuit
from lambda_runtime.state.known_states import KnownStates
from lambda_runtime.state.target_states import Availability

AGAIN = 60.0
"""Seconds after which that a circuit is open is said again: CloudWatch's alarms look at the last minutes only."""


class CircuitMetric:
    """What this instance has said of the upstreams' circuits. An upstream counts as open if one circuit of its models does."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}
        """Upstreams of which this instance has said that they are open, and when."""

    def changed(self, target: str, known: KnownStates, now: float) -> None:
        """This instance has opened or closed a circuit.

        Args:
            target: `upstream/model`, or `upstream/*`.
            known: the states with that change.
            now: the time.
        """
        self._say(target.partition("/")[0], known, now)

    def follow(self, known: KnownStates, now: float) -> None:
        """Look after what this instance has said. To be called with each request that is counted."""
        if not self._open or not known.counts(now):
            return
        for upstream in list(self._open):
            self._say(upstream, known, now)

    def forget(self) -> None:
        """Have nothing to look after: before a snapshot of the process."""
        self._open.clear()

    def _say(self, upstream: str, known: KnownStates, now: float) -> None:
        of_it = f"{upstream}/"
        is_open = any(
            name.startswith(of_it) and breaker.availability(now) is not Availability.CLOSED
            for name, breaker in known.breakers.items()
        )
        if is_open:
            if 0 <= now - self._open.get(upstream, -AGAIN) < AGAIN:
                return
            self._open[upstream] = now
        else:
            self._open.pop(upstream, None)
        write_circuit(upstream, is_open=is_open)
