"""`ai-gateway budgets`: what consumers may use, and how much of it they have used."""
