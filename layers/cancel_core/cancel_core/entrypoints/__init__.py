"""The entry points of invocations: HTTP requests, batches of streams and queues, custom resources.

They parse the input, and answer in the caller's format. Only the functions import them. Not here: the use cases
(`services`).
"""
