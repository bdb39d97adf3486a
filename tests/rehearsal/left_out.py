"""What is taken out of a copy of the built template, since MiniStack cannot do it yet: this list, and nothing else.

Each entry has its reason, and the check by which the same thing is seen all the same. One that MiniStack has learnt
should go: a later version of it may deploy the whole template.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]


class LeftOut(NamedTuple):
    """`where`: the parts of the template that differ, as paths. `covered_by`: a test, by file and name."""

    what: str
    where: tuple[str, ...]
    reason: str
    covered_by: str
    change: Callable[[Json, Mapping[str, str]], None]


def _no_gradual_deployment(template: Json, _: Mapping[str, str]) -> None:
    del template["Globals"]["Function"]["DeploymentPreference"]


def _no_saved_query(template: Json, _: Mapping[str, str]) -> None:
    del template["Resources"]["OrderStoryQuery"]


# Registry and schemas hang on one condition.
REGISTERED = ("Conditions.RegisterEvents",)


def _no_schemas(template: Json, _: Mapping[str, str]) -> None:
    template["Conditions"]["RegisterEvents"] = {"Fn::Equals": ["no schemas", "schemas"]}


METRIC_MATH = (
    "FunctionErrorsAlarm",
    "ReleaseFunctionErrorsAlarm",
    "FunctionThrottlesAlarm",
    "TableThrottlesAlarm",
    "WithdrawalTableThrottlesAlarm",
    "RequestTableThrottlesAlarm",
    "AccessTableThrottlesAlarm",
)


def _no_metric_math(template: Json, _: Mapping[str, str]) -> None:
    for name in METRIC_MATH:
        del template["Resources"][name]


def _numbers(template: Json, parameters: Mapping[str, str]) -> None:
    source = template["Resources"]["RefundOrderSource"]["Properties"]
    source["ScalingConfig"]["MaximumConcurrency"] = int(parameters["RefundConcurrency"])


# Second and third of what a list parameter may hold: with one value or none they are false.
SPLITTING = ("AskScope1", "AskScope2", "AskScope3", "AllowOrigin2", "AllowOrigin3")


def _conditions(template: Json, _: Mapping[str, str]) -> None:
    for name in SPLITTING:
        template["Conditions"][name] = {"Fn::Equals": ["a list of one", "a longer list"]}


TELLING = (
    "PublishEventsFunction",
    "ReconcileRefundsFunction",
    "ProcessWithdrawalFunction",
    "ProcessRequestFunction",
    "ValidateConfigFunction",
)


def _any_event(template: Json, _: Mapping[str, str]) -> None:
    for name in TELLING:
        for policy in template["Resources"][name]["Properties"]["Policies"]:
            for statement in policy.get("Statement", ()):
                if statement["Action"] == "events:PutEvents":
                    del statement["Condition"]


LEFT_OUT = (
    LeftOut(
        "gradual deployment",
        ("Globals.Function.DeploymentPreference",),
        "There is no CodeDeploy: aliases are moved by CloudFormation itself, as with GradualDeployment false.",
        "tests/template/test_rollout.py::test_a_version_goes_out_by_steps_and_these_alarms_take_it_back",
        _no_gradual_deployment,
    ),
    LeftOut(
        "the saved query of Logs Insights",
        ("Resources.OrderStoryQuery",),
        "AWS::Logs::QueryDefinition is not among its resources.",
        "tests/template/test_lint.py::test_cfn_lint_finds_nothing_in_what_the_transform_makes",
        _no_saved_query,
    ),
    LeftOut(
        "the events' schemas in a registry",
        REGISTERED,
        "AWS::EventSchemas is not among its services.",
        "tests/template/test_event_schemas.py::test_the_template_registers_each_event_as_it_is_published",
        _no_schemas,
    ),
    LeftOut(
        "alarms over several metrics",
        tuple(f"Resources.{name}" for name in METRIC_MATH),
        "It has no alarms with metric math.",
        "tests/operations/test_alarms.py::test_an_expression_adds_up_each_of_its_metrics",
        _no_metric_math,
    ),
    LeftOut(
        "a parameter as the queue's highest concurrency",
        ("Resources.RefundOrderSource.Properties.ScalingConfig.MaximumConcurrency",),
        "It takes a number there, and no text that a parameter gives.",
        "tests/template/test_lint.py::test_cfn_lint_finds_nothing_in_what_the_transform_makes",
        _numbers,
    ),
    LeftOut(
        "conditions that take a list apart",
        tuple(f"Conditions.{name}" for name in SPLITTING),
        "Its conditions know no Fn::Split and Fn::Join.",
        "tests/template/test_routes.py::test_each_of_three_scopes_is_asked_for_only_when_it_was_given",
        _conditions,
    ),
    LeftOut(
        "which events a role may put on the bus",
        tuple(f"Resources.{name}.Properties.Policies" for name in TELLING),
        "Its IAM knows neither events:source nor events:detail-type, and refuses where they are asked for.",
        "tests/security/test_roles.py::test_what_validates_the_config_can_not_announce_a_cancel",
        _any_event,
    ),
)


def rehearsed(template: Json, parameters: Mapping[str, str]) -> Json:
    """A copy of the built template that MiniStack can deploy. `parameters`: their values, by name."""
    made = copy.deepcopy(template)
    for one in LEFT_OUT:
        one.change(made, parameters)
    return made
