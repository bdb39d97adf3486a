"""Payment providers, one file for each, with the interface in `domain.provider`; `registry` lists them.

Not here: how much is paid back from which payment, and when (`domain`, `services`).
"""
