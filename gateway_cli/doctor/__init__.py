"""`ai-gateway doctor`: looks at a gateway, and says of everything that is wrong with it what mends it."""
