"""The HTTP API: routes, authorizer, CORS and payload format 2.0, as API Gateway does them, in front of the local
functions.

``server.py`` is the server, ``requests.py`` parses a request, ``routing.py`` finds its route, ``tokens.py`` checks its
token (and issues tokens, which someone else's server does in production), ``event.py`` converts it to the function's
event, and ``answers.py`` converts the function's result to a response. ``pages.py`` serves the storefront's files.

The behaviour that a client of the API sees belongs here. How a function runs is in ``runtime``; the content of the
responses is the product's.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs", "Configure CORS for HTTP APIs" and "Quotas" of the API
Gateway developer guide. Throttling is omitted on purpose. The template's limits protect an account's concurrency and
budget; here they would only make load tests fail.
"""
