"""Access to external services: DynamoDB, EventBridge, SQS, SES, Secrets Manager, payment providers.

Each turns the outside's errors into ours. Not here: decisions (`domain`), and the order of steps (`services`).
"""
