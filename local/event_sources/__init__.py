"""The sources that invoke a function without a client: event source mappings on a table's stream and on queues, and
schedules.

Each source runs in its own thread until it is stopped, and passes its function one batch after the other. What Lambda
or EventBridge does automatically belongs here: polling, batches, filters, retries, and the handling of a batch's
response. How the function runs is in ``runtime``; the bus's rules and the queues themselves are in ``aws``.

Sources: "Using Lambda with DynamoDB", "Using Lambda with Amazon SQS" and "Lambda event filtering" of the Lambda
developer guide. Where the guide is silent, no record is lost.
"""
