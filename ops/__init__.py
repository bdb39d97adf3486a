"""The operator's command: `make refunds`. It runs with the operator's own rights, not in a function."""
