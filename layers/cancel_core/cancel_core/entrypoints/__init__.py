"""The entry points of invocations: HTTP requests, batches of streams and queues, custom resources.

They read what came, and answer in the caller's form. Nothing of the package imports them; the functions do. Not here:
what is done (`services`).
"""
