"""How commands reach an AWS account, and what they look for there."""
