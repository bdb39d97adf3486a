"""The use cases, one file for each: the order of their steps, and the handling of concurrent changes.

Adapters are passed in, and imported only for type annotations. Not here: rules and amounts (`domain`), access to tables
and providers (`adapters`), HTTP and event formats (`entrypoints`).
"""
