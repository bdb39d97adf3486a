"""The local stack under load: many customers at once, and the invariants at the end."""
