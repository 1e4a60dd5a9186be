"""The function that writes consumers' limits at a deployment."""
