"""Translation between OpenAI's chat completions and Anthropic's messages, both ways: requests, answers, streams, errors.

docs/translation.md has the fate of every field. Nothing here is imported before the first request that needs it.
"""
