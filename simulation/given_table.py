"""What is taken for given, with where each figure comes from."""

from __future__ import annotations

from lambda_runtime.state.state_reader import STATE_MAX_AGE
from simulation.durations import LogNormal
from simulation.fault import REFUSAL_SECONDS
from simulation.inputs import Inputs
from simulation.markdown import percent, row, seconds, table

_ASSUMED = "assumed"
_MEASURED = "measured: [results](../benchmarks/results.md)"


def given(inputs: Inputs) -> str:
    """The table.

    Args:
        inputs: what is taken for given.
    """
    rows = (
        ("the busiest hour", f"{inputs.peak:.2f} times the mean: a company of one time zone", _ASSUMED),
        (
            "arrivals",
            f"independent of each other; {percent(inputs.batch_share)} of them bring {inputs.batch_size} within a second",
            _ASSUMED,
        ),
        ("streams", f"{percent(inputs.stream_share)}; {_log_normal(inputs.stream)}", _ASSUMED),
        ("JSON calls", f"the others; {_log_normal(inputs.call)}", _ASSUMED),
        ("a provider's first token", _log_normal(inputs.first), _ASSUMED),
        (
            "tokens of a request",
            _tokens(inputs),
            _ASSUMED,
        ),
        (
            "consumers",
            f"{inputs.consumers}, the largest makes {percent(inputs.largest_consumer)} of the requests and has a budget",
            _ASSUMED,
        ),
        ("upstreams, models", f"{inputs.upstreams}, {inputs.models}; the largest {percent(inputs.largest_model)}", _ASSUMED),
        ("what the gateway adds to a request", f"{inputs.own_time * 1000:.0f} ms", f"{_MEASURED}, rounded up"),
        (
            "start of our process",
            f"{inputs.init * 1000:.0f} ms",
            f"{_MEASURED}, with a whole CPU: 81 to 93 ms in quiet phases, 122 to 136 in slow ones",
        ),
        ("Lambda's own part of a start", f"{inputs.lambda_start * 1000:.0f} ms", f"{_ASSUMED}; AWS does not say"),
        ("a key from Secrets Manager", f"{inputs.key_fetch * 1000:.0f} ms for each upstream, at start", _ASSUMED),
        (
            "the authorizer",
            f"{inputs.authorizer * 1000:.0f} ms, {inputs.authorizer_init * 1000:.0f} ms more to start, and Lambda's part",
            _ASSUMED,
        ),
        ("a call of the table", f"{inputs.table_call * 1000:.0f} ms", _ASSUMED),
        (
            "idle instances end after",
            f"{inputs.keep_alive / 60:.0f} minutes; all are replaced after {inputs.lifetime / 3600:.0f} hours",
            f"{_ASSUMED}; AWS does not say, others have seen 5 to 60 minutes",
        ),
        ("who serves next", "the instance that was idle for the shortest time", f"{_ASSUMED}; AWS does not say"),
        ("an upstream that fails", f"answers 500 after {seconds(REFUSAL_SECONDS)}, or is silent", _ASSUMED),
        ("states are read again after", f"{STATE_MAX_AGE:.0f} s, with a request", "the gateway's own code, which runs here"),
    )
    return table(("what", "value", "from"), [row(*each) for each in rows])


def _tokens(inputs: Inputs) -> str:
    usage = inputs.usage
    return (
        f"{usage.input_tokens:,} in ({usage.cached_tokens} cached, {usage.cache_write_tokens} written to a cache), "
        f"{usage.output_tokens} out ({usage.reasoning_tokens} thought); ${inputs.cost / 1e9:.5f}"
    )


def _log_normal(times: tuple[float, float]) -> str:
    mean = LogNormal(times).mean
    return f"median {times[0]:g} s, 95th percentile {times[1]:g} s (log-normal, mean {mean:.1f} s)"
