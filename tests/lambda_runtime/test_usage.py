"""Tokens out of the upstreams' own figures."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.usage import Usage, of_anthropic, of_openai


@pytest.mark.parametrize(
    ("figures", "usage"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}, Usage(5, 3)),
        ({"input_tokens": 5, "output_tokens": 3}, Usage(5, 3)),
        ({"prompt_tokens": 5, "total_tokens": 5}, Usage(5, 0)),
        ({"completion_tokens": 3}, Usage(0, 3)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(5, 3, cached_tokens=4, reasoning_tokens=2),
        ),
        (
            {
                "input_tokens": 5,
                "output_tokens": 3,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(5, 3, cached_tokens=4, reasoning_tokens=2),
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": None, "completion_tokens_details": "x"}, Usage(5, 0)),
        ({"prompt_tokens": None, "input_tokens": 6}, Usage(6, 0)),
        ({"prompt_tokens": True, "completion_tokens": -1}, None),
        ({"prompt_tokens": "5", "completion_tokens": 1.5}, None),
        ({"prompt_tokens": 1000.0, "completion_tokens": 3.0}, Usage(1000, 3)),
        ({"prompt_tokens": float("inf"), "completion_tokens": float("nan")}, None),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5}, Usage(9, 0, cached_tokens=4)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
            Usage(9, 0, cached_tokens=2, cache_write_tokens=3),
        ),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_openais_figures(figures: Any, usage: Usage | None) -> None:
    assert of_openai(figures) == usage


@pytest.mark.parametrize(
    ("figures", "usage"),
    [
        ({"input_tokens": 5, "output_tokens": 3}, Usage(5, 3)),
        (
            {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 2, "output_tokens": 3},
            Usage(14, 3, cached_tokens=7, cache_write_tokens=2),
        ),
        ({"input_tokens": 5, "cache_read_input_tokens": None, "output_tokens": 3}, Usage(5, 3)),
        ({"input_tokens": 5}, Usage(5, 0)),
        ({"output_tokens": 5}, Usage(0, 5)),
        ({"cache_read_input_tokens": 5}, None),
        ({"input_tokens": "5"}, None),
        (None, None),
    ],
)
def test_anthropics_figures_leave_the_cache_out_of_the_input(figures: Any, usage: Usage | None) -> None:
    assert of_anthropic(figures) == usage


def run(kind: str, read: int, written: int, **more: Any) -> dict[str, Any]:
    """One run of a model, as Anthropic tells it."""
    figures = {"input_tokens": read, "output_tokens": written}
    return {"type": kind, **figures, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0, **more}


@pytest.mark.parametrize(
    ("runs", "usage"),
    [
        (None, Usage(50, 5)),
        ([], Usage(50, 5)),
        ("none", Usage(50, 5)),
        ([None, 5, {}, {"type": "message", "input_tokens": "5"}], Usage(50, 5)),
        ([run("message", 50, 5)], Usage(50, 5)),
        # What the figures above have already is not counted twice, and what they lack is not lost.
        ([run("message", 20, 2), run("message", 30, 3)], Usage(50, 5)),
        ([run("message", 50, 2), run("message", 60, 3)], Usage(110, 5)),
        ([run("compaction", 180, 3, cache_read_input_tokens=7), run("message", 50, 5)], Usage(237, 8, cached_tokens=7)),
        (
            [run("message", 50, 5), run("advisor_message", 80, 9, model="dear", cache_creation_input_tokens=1)],
            Usage(131, 14, cache_write_tokens=1, others=(("dear", Usage(81, 9, cache_write_tokens=1)),)),
        ),
        (
            [run("message", 40, 0, model=None), run("fallback_message", 50, 5, model="other")],
            Usage(90, 5, others=(("other", Usage(50, 5)),)),
        ),
    ],
)
def test_runs_that_anthropic_tells_apart_count(runs: Any, usage: Usage) -> None:
    assert of_anthropic({"input_tokens": 50, "output_tokens": 5, "iterations": runs}) == usage
