"""Replaces AWS's runtime client where it has no wheels (they exist for Linux only): ``python bootstrap.py
app.handler``.

The loop of a Lambda custom runtime, with the standard library alone: get the next event, call the handler, post its
result or error.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = "/2018-06-01/runtime/"


class Context:
    """The parts of Lambda's context object that handlers use."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


def _error(error: BaseException) -> bytes:
    trace = traceback.format_exception(error)
    print("".join(trace), file=sys.stderr, flush=True)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}).encode()


def main(handler_name: str) -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(method: str, path: str, body: bytes | None = None) -> tuple[http.client.HTTPMessage, bytes]:
        connection.request(method, ROOT + path, body)
        response = connection.getresponse()
        return response.headers, response.read()

    sys.path[0] = str(Path.cwd())  # not this file's folder
    try:
        module, _, name = handler_name.rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as error:  # noqa: BLE001  # whatever a handler's module raises is told to the Runtime API
        call("POST", "init/error", _error(error))
        sys.exit(1)
    while True:
        headers, event = call("GET", "invocation/next")
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        request = f"invocation/{headers['Lambda-Runtime-Aws-Request-Id']}"
        result: Any
        try:
            result = json.dumps(handler(json.loads(event), Context(headers))).encode()
        except Exception as error:  # noqa: BLE001  # and so is whatever a handler raises
            call("POST", f"{request}/error", _error(error))
        else:
            call("POST", f"{request}/response", result)


if __name__ == "__main__":
    main(sys.argv[1])
