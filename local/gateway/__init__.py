"""The HTTP API: routes, authorizer, CORS and payload format 2.0, as API Gateway does them, in front of the local
functions.

``server.py`` is the server, ``requests.py`` reads a request, ``routing.py`` finds its route, ``tokens.py`` checks its
token (and issues tokens, which in production is somebody else's), ``event.py`` makes the function's event of it, and
``answers.py`` the client's answer of what the function returns. ``pages.py`` are the storefront's files.

It belongs here if a client of the API meets it. How a function runs is of ``runtime``; what the answers mean is the
product's.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs", "Configure CORS for HTTP APIs" and "Quotas" of the API
Gateway developer guide. Left out on purpose: throttling. The template's limits protect an account's concurrency and
wallet; here they would only make load tests fail.
"""
