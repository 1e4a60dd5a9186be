"""`ai-gateway smoke`: small requests that show whether an upstream or a gateway works, before traffic moves to it."""
