"""`ai-gateway usage`: what consumers have used."""
