"""What is released how."""

WEIGHT = 0.05
"""Of the first share, unless a test that has fewer requests wants more of them."""

RAMP = (0.25, 0.5)
RAMP_SECONDS = 120

MODELS = ("gpt-4", "gpt-4-mini")
"""What the clients ask for."""
