"""The HTTP API: requests read and checked, the documents for clients, errors as problem details.

Not here: anything that a service would need to know of HTTP.
"""
