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
