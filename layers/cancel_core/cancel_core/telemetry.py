"""Logs and metrics. No personal data: ids of orders, stores and cancellations, codes, counts; no body, no token."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

if TYPE_CHECKING:
    from types import TracebackType

    from cancel_core.domain.policy import Policy, Problem

# Lambda's JSON logging enables the loggers of all libraries. Below WARNING they log what they send: URLs with a
# payment's reference, whole items.
for library in ("boto3", "botocore", "requests", "stripe", "urllib3"):
    logging.getLogger(library).setLevel(logging.WARNING)


class _Formatter(LambdaPowertoolsFormatter):
    """The log form of an exception: its type, where it was raised, and the same of its causes."""

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        lines: list[str] = []
        error = ei[1]
        while error is not None and len(lines) < _MOST_LINES:
            lines.append(_words(error))
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)


_MOST_LINES = 200


def _words(error: BaseException) -> str:
    """Its type, and its message if it is our own or AWS's. Messages of others may contain what was sent: an HTTP
    client's error names the URL, which may contain a payment.
    """
    kind = type(error)
    is_known = kind.__module__.startswith("cancel_core.") or kind.__module__ == "botocore.errorfactory"
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}" if is_known or name == "botocore.exceptions.ClientError" else name


# Lambda treats a line whose time is not RFC 3339 as one of level INFO.
logger = Logger(logger_formatter=_Formatter(serialize_stacktrace=False, use_rfc3339=True))
_metrics = Metrics()
_release = ["unreleased"]
# Also counted by release: the alarm that rolls back a release uses only this metric.
_OF_A_RELEASE = {"InternalError"}


def configure(level: str, release: str) -> None:
    """`level`: the lowest level that is written. Powertools would use Lambda's own level, which must be lower, because
    Lambda treats a metric's line as INFO and must not drop it.
    """
    logging.getLogger(logger.name).setLevel(level)
    _release[0] = release


def count(name: str, number: int = 1) -> None:
    _metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
    if name in _OF_A_RELEASE:
        with single_metric(name=name, unit=MetricUnit.Count, value=number) as metric:
            metric.add_dimension("release", _release[0])


def measure_seconds(name: str, seconds: float) -> None:
    _metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=seconds)


def count_refusal(code: str) -> None:
    """One `Refused` with the code as a dimension: there are about a dozen codes, and each costs as much as a metric."""
    with single_metric(name="Refused", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="code", value=code)


def flush() -> None:
    """Writes the metrics. At the end of each invocation, because the environment may not run again."""
    if _metrics.metric_set:
        _metrics.flush_metrics()


def report_config(policy: Policy) -> None:
    """Logs the errors in the config that was read, for the admin who has to correct them."""
    stands = "what was right before stays in force" if policy.enabled else "cancelling is off"
    for problem in policy.problems:
        logger.error("the config is wrong, and %s: %s", stands, problem, extra=problem_fields(problem))
    # The metric has no dimension for the scope, which would multiply its cost; the error is logged with it.
    _metrics.add_metadata(key="config_problems", value=[str(problem) for problem in policy.problems])
    count("ConfigInvalid")


def problem_fields(problem: Problem) -> dict[str, str]:
    """scope, attribute, fault, remedy."""
    return {name: getattr(problem, name) for name in ("scope", "attribute", "fault", "remedy")}
