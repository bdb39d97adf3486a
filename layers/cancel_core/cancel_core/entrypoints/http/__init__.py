"""The HTTP API: validated requests, documents for clients, errors as problem details.

Not here: anything that a service would need to know about HTTP.
"""
