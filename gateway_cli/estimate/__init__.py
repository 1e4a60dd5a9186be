"""`ai-gateway estimate`: what a gateway costs, what it needs, and from which traffic containers are cheaper."""
