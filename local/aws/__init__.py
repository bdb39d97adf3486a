"""The AWS services of the local stack, each in its own process.

``services.py`` starts them and creates in them what the template declares; ``moto_server.py`` is moto, and
``dynamodb_local.py`` the engine that may stand in for its DynamoDB. All listen
for the plain clients of AWS.

Services belong here that someone else's server provides in production. Lambda, its event sources and the HTTP API do
not: they run in our own process (``runtime``, ``event_sources``, ``gateway``).
"""
