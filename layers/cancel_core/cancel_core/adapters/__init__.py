"""Access to external services: DynamoDB, EventBridge, SQS, SES, Secrets Manager, payment providers.

Each adapter converts the service's errors into ours. Not here: decisions (`domain`) and the order of steps
(`services`).
"""
