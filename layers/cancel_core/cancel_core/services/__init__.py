"""The use cases, one file for each: the order of their steps, and the handling of concurrent changes.

They get their adapters passed in, and import none of them but to name a type. Not here: rules and sums (`domain`), how
a table or a provider is spoken to (`adapters`), HTTP or the form of an event (`entrypoints`).
"""
