"""The `ai-gateway` command."""
