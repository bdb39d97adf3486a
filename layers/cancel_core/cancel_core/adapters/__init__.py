"""How the outside is spoken to: DynamoDB, EventBridge, SQS, Secrets Manager, payment providers.

Each turns the outside's errors into ours. Not here: decisions (`domain`), and the order of steps (`services`).
"""
