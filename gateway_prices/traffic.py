"""What is asked of a gateway and what it is made of, as far as that costs. Every default is an assumption."""

from __future__ import annotations

from dataclasses import dataclass

DAYS = 365 / 12
"""Days of a month."""

GB = 1_000_000_000

LINE_BYTES = 1_500
"""Of the line that the gateway logs for a request."""

PLATFORM_BYTES = 300
"""Of the lines that Lambda logs for a call: START, END, REPORT."""

LOG_BYTES = LINE_BYTES + 2 * PLATFORM_BYTES
"""Of a request's lines. Two functions are called: the gateway's and the authorizer's."""

REQUEST_BYTES = 1_200
RESPONSE_BYTES = 1_200
"""What a request and an answer weigh besides their tokens: headers, and the JSON around the text."""

TOKEN_BYTES = 4.5
"""Of a token in a body as a whole: four characters of English, and what JSON has to escape."""

EVENT_BYTES = 280
"""Of a token in a stream, where each is an event of its own with the answer's id, model and so on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What is asked of a gateway.

    Args:
        requests_per_day: requests that reach it, on average. Default: 10,000.
        input_tokens: of a request, on average. Default: 2,000.
        output_tokens: of an answer, on average. Default: 500.
        cached_share: share of the input tokens that are read from a prompt cache. Default: 0.
        cache_write_share: share of the input tokens that are written to one. Default: 0.
        stream_share: share of the requests whose answer is streamed. Default: 0.8.
        stream_seconds: that a streamed answer takes, on average, from request to last byte. Default: 10.
        json_seconds: that any other answer takes. Default: 5.
        peak_factor: by how much the busiest minutes exceed the mean. Default: 3.
        largest_consumer: share of the requests that the busiest consumer makes. Default: 1.
    """

    requests_per_day: float = 10_000
    input_tokens: float = 2_000
    output_tokens: float = 500
    cached_share: float = 0.0
    cache_write_share: float = 0.0
    stream_share: float = 0.8
    stream_seconds: float = 10.0
    json_seconds: float = 5.0
    peak_factor: float = 3.0
    largest_consumer: float = 1.0

    @property
    def requests(self) -> float:
        """In a month."""
        return self.requests_per_day * DAYS

    @property
    def rate(self) -> float:
        """Requests a second, on average."""
        return self.requests_per_day / 86_400

    @property
    def seconds(self) -> float:
        """That a request takes, on average."""
        return self.stream_share * self.stream_seconds + (1 - self.stream_share) * self.json_seconds

    @property
    def request_bytes(self) -> float:
        """That go to the upstream with a request."""
        return REQUEST_BYTES + self.input_tokens * TOKEN_BYTES

    @property
    def stream_bytes(self) -> float:
        """That a streamed answer has."""
        return RESPONSE_BYTES + self.output_tokens * EVENT_BYTES

    @property
    def json_bytes(self) -> float:
        """That any other answer has."""
        return RESPONSE_BYTES + self.output_tokens * TOKEN_BYTES

    @property
    def response_bytes(self) -> float:
        """That an answer has, on average."""
        return self.stream_share * self.stream_bytes + (1 - self.stream_share) * self.json_bytes

    @property
    def gb_out(self) -> float:
        """GB a month that leave AWS: the answers, and the requests to the upstreams."""
        return self.requests * (self.request_bytes + self.response_bytes) / GB


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What a gateway is made of, as far as it costs.

    Args:
        memory_mb: of its function, in MiB. Default: 256, as the construct's.
        architecture: "arm64" or "x86_64". Default: "arm64".
        secrets: how many upstreams' keys are stored, and paid for, as the gateway's own. Default: 1.
        secrets_read: how many a new instance reads, those of others included. Default: as many as `secrets`.
        table: whether it has a table, for circuits and usage. Default: it has.
        budgets: whether consumers have budgets, which are read before each request. Default: they have none.
        waf_rules: rules of its web ACL. Default: 0, there is none.
        metrics: custom metrics that it writes. Default: 23, as those of one upstream and no model map.
        alarm_metrics: metrics that alarms look at by the minute. Default: 0.
        fast_alarm_metrics: metrics that alarms look at more often. Default: 0.
        dashboards: how many. Default: 1.
        log_bytes: of a request's log lines. Default: `LOG_BYTES`.
        cold_start_share: share of the requests for which Lambda starts an instance. Default: 0.01.
        init_seconds: that a start takes. Default: 0.5.
        after_seconds: that the function works on after an answer's end: the log, and two writes. Default: 0.02.
        authorizer_seconds: that the authorizer's function takes. Default: 0.005.
    """

    memory_mb: int = 256
    architecture: str = "arm64"
    secrets: int = 1
    secrets_read: int | None = None
    table: bool = True
    budgets: bool = False
    waf_rules: int = 0
    metrics: int = 23
    alarm_metrics: int = 0
    fast_alarm_metrics: int = 0
    dashboards: int = 1
    log_bytes: float = LOG_BYTES
    cold_start_share: float = 0.01
    init_seconds: float = 0.5
    after_seconds: float = 0.02
    authorizer_seconds: float = 0.005

    @property
    def memory_gb(self) -> float:
        """As Lambda bills it."""
        return self.memory_mb / 1024
