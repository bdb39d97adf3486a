"""The tables, one file for each, and what they share.

Not here: what is done with an item that was read (`services`), or what becomes of it (`domain`).
"""
