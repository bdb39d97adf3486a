"""Lambda functions as processes: execution environments, the Runtime API, timeouts and crashes.

Each execution environment is a separate process of AWS's runtime client (``python -m awslambdaric app.handler``), which
takes one invocation at a time from a Runtime API served here. Environments start on first use and stay warm. One that
crashes, exits or exceeds the function's timeout is killed and replaced.

    runtime = Runtime([Function("hello", Path("functions/hello"), path=(Path("layers/cancel_core"),))])
    result = runtime.invoke("hello", {"a": 1})     # result.payload, result.error
    runtime.stop()

``runtime.py`` has all functions, ``pool.py`` the environments of one, ``environment.py`` one process, ``api.py`` what
that talks to, ``invocation.py`` one event on its way. ``function.py`` has what callers name, ``bootstrap.py`` is the
runtime client for systems without AWS's own.

What Lambda does with any function belongs here. The callers of a function, and how they handle its response, are in
``gateway`` and ``event_sources``; ``stack.py`` knows the functions.

Source: "Using the Lambda runtime API for custom runtimes" and "Lambda execution environment" of the Lambda developer
guide. Differences from Lambda: an environment may take 30 s to initialise (Lambda: 10 s), because development machines
are slower; the number of environments is limited and callers queue for them; memory is not limited.
"""
