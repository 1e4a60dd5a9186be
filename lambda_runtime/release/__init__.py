"""The function that starts releases at a deployment."""
