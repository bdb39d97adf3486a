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

# Lambda's JSON logging lets every library speak. Below WARNING they tell what they send: addresses with a payment's
# reference in them, whole items.
for library in ("boto3", "botocore", "requests", "stripe", "urllib3"):
    logging.getLogger(library).setLevel(logging.WARNING)


class _Formatter(LambdaPowertoolsFormatter):
    """Of an exception: what it is, where it came from, and the same of what caused it."""

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
    """Its type, and its words where they are our own or AWS's. Those of others may hold whatever was sent: a client's
    error names the address, and in it a payment.
    """
    kind = type(error)
    is_known = kind.__module__.startswith("cancel_core.") or kind.__module__ == "botocore.errorfactory"
    name = f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}" if is_known or name == "botocore.exceptions.ClientError" else name


# Lambda takes a line whose time is not RFC 3339 for one of level INFO.
logger = Logger(logger_formatter=_Formatter(serialize_stacktrace=False, use_rfc3339=True))
_metrics = Metrics()
_release = ["unreleased"]
# Counted for the release alone, too: the alarm that takes a new release back looks at nothing else.
_OF_A_RELEASE = {"InternalError"}


def configure(level: str, release: str) -> None:
    """`level`: the least severe lines that are written. Powertools would have Lambda's own level win, which lets more
    through: it takes a metric's line for one of level INFO, and must not drop it."""
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
    """One `Refused` with the code as a dimension: there are about a dozen, and each costs as much as a metric."""
    with single_metric(name="Refused", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="code", value=code)


def flush() -> None:
    """Writes what was counted. At the end of each invocation, for what runs after it may not run at all."""
    if _metrics.metric_set:
        _metrics.flush_metrics()


def report_config(policy: Policy) -> None:
    """Says what is wrong in the config that was read, for the admin who has to mend it."""
    stands = "what was right before stays in force" if policy.enabled else "cancelling is off"
    for problem in policy.problems:
        logger.error("the config is wrong, and %s: %s", stands, problem, extra=problem_fields(problem))
    # The metric has no dimensions of its own, which would cost for each scope; what is wrong lies beside it.
    _metrics.add_metadata(key="config_problems", value=[str(problem) for problem in policy.problems])
    count("ConfigInvalid")


def problem_fields(problem: Problem) -> dict[str, str]:
    """scope, attribute, fault, remedy."""
    return {name: getattr(problem, name) for name in ("scope", "attribute", "fault", "remedy")}
