"""Payment providers, one file for each, as `domain.provider` asks for them; `registry` names them all.

Not here: how much is paid back from which payment, and when (`domain`, `services`).
"""
