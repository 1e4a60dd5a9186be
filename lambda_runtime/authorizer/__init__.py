"""The API's authorizer, a function of its own."""
