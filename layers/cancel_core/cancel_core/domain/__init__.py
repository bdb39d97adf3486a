"""Decisions and their effect on an order: rules, amounts, and writes as data.

Pure: no AWS, no clock, no environment, no input or output. All input is an argument, the time included.
Not here: anything that reads, writes, waits or logs (`services`, `adapters`), and what clients see (`entrypoints`).
"""
