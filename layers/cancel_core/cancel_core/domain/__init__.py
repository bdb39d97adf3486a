"""Decisions and their effect on an order: the rules, the amounts, and the writes as data.

Pure: no AWS, no clock, no environment, no input or output. What it needs comes in as an argument, time included.
Not here: anything that reads, writes, waits or logs (`services`, `adapters`), and what clients see (`entrypoints`).
"""
