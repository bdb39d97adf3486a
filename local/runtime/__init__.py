"""Lambda functions as processes: execution environments, the Runtime API, time-outs and crashes.

Each execution environment is a process of its own under AWS's runtime client (``python -m awslambdaric app.handler``),
which takes one invocation at a time from a Runtime API served here. Environments start on first use and stay warm. One
that crashes, exits or overruns the function's time-out is killed and replaced.

    runtime = Runtime([Function("hello", Path("functions/hello"), path=(Path("layers/cancel_core"),))])
    result = runtime.invoke("hello", {"a": 1})     # result.payload, result.error
    runtime.stop()

``runtime.py`` has all functions, ``pool.py`` the environments of one, ``environment.py`` one process, ``api.py`` what
that talks to, ``invocation.py`` one event on its way. ``function.py`` has what callers name, ``bootstrap.py`` is the
runtime client for systems without AWS's own.

It belongs here if Lambda does it with any function. What calls a function, and what its answer means to the caller, is
of ``gateway`` and ``event_sources``; which functions there are is ``stack.py``'s.

Source: "Using the Lambda runtime API for custom runtimes" and "Lambda execution environment" of the Lambda developer
guide. Where it departs from Lambda: an environment may take 30 s to initialise (Lambda: 10 s), since this is no server
room; the number of environments is bounded and callers queue for them; memory is not limited.
"""
