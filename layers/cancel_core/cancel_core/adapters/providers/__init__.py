"""Payment providers, one file for each, with the interface in `domain.provider`; `registry` lists them.

Not here: the amounts and their payments, and the timing (`domain`, `services`).
"""
