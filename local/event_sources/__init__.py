"""What calls a function without a client: event source mappings on a table's stream and on queues, and schedules.

Each source runs in a thread of its own until it is told to stop, and gives its function one batch after the other. It
belongs here if Lambda or EventBridge does it by itself: polling, batches, filters, retries, what an answer says of a
batch. How the function then runs is of ``runtime``; rules of the bus and the queues themselves are the services' of
``aws``.

Sources: "Using Lambda with DynamoDB", "Using Lambda with Amazon SQS" and "Lambda event filtering" of the Lambda
developer guide. Where the guide is silent, this errs towards losing nothing.
"""
