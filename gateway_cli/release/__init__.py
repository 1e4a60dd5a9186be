"""`ai-gateway release`: which version serves, what is being released, and the operator's word on it."""
