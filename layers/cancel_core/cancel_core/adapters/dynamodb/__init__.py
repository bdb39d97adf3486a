"""The tables, one file for each, and their shared code.

Not here: what is done with an item (`services`), and decisions about it (`domain`).
"""
