"""The tables, one file for each, and their shared code.

Not here: what is done with an item that was read (`services`), or what becomes of it (`domain`).
"""
