"""What a cold start imports. Imports are most of it, so that what a function does not use must not be among them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Aws
from tests.package.conftest import alone, run_by_itself
from tests.support.builds import Build

Imported = Mapping[str, Mapping[str, tuple[str, str | None]]]

SCRIPT = """\
import gc, json, sys
data, compiling = [], set()
def heard(event, args):
    if event == "open" and ".json" in str(args[0]):
        data.append(args[0])
    # sys._getframe is an event, too.
    if event == "compile" and sys._getframe(1).f_globals["__name__"] == "typing":
        frame = sys._getframe(1)
        while frame.f_code.co_name != "<module>":
            frame = frame.f_back
        compiling.add(frame.f_globals["__name__"])
sys.addaudithook(heard)
import app
print(json.dumps([{name: [module.__file__, getattr(module, "__cached__", None)] for name, module in sys.modules.items()
                   if getattr(module, "__file__", None) and name != "__main__"}, data,
                  gc.isenabled() and gc.get_freeze_count(), sorted(compiling)]))
"""


class Initialised(NamedTuple):
    """What a function's init has done: the modules it has imported, the JSON files it has read, how many objects the
    garbage collector leaves out, and the modules that have compiled the text of an annotation.
    """

    modules: Mapping[str, tuple[str, str | None]]
    read: list[str]
    left_out: int
    compiling: list[str]


@pytest.fixture(scope="module")
def initialised(build: Build, aws: Aws, runtime_folder: Path) -> Mapping[str, Initialised]:
    """By function."""
    functions = alone(build, build.layer, aws, runtime_folder)
    return {
        name: Initialised(*json.loads(run_by_itself(function, "-c", SCRIPT).stdout))
        for name, function in functions.items()
    }


@pytest.fixture(scope="module")
def imported(initialised: Mapping[str, Initialised]) -> Imported:
    """By function what is imported when it has been initialised: module -> file, bytecode."""
    return {name: init.modules for name, init in initialised.items()}


# What the layer and the runtime carry and every function imports. Nothing comes in without somebody's notice.
PYDANTIC = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}
PACKAGES = PYDANTIC | {
    *("aws_lambda_powertools", "botocore", "cancel_core", "dateutil", "jmespath", "six", "typing_extensions"),
    "urllib3",
}
ROOMS = {"adapters", "adapters.dynamodb", "domain", "entrypoints"}
EVERYWHERE = {
    *(
        "adapters.aws",
        "adapters.dynamodb.database",
        "cold_start",
        "domain.addresses",
        "errors",
        "parts",
        "telemetry",
        "wiring",
    ),
}
POLICY = {
    *("adapters.dynamodb.attributes", "domain.mail_settings", "domain.policy", "domain.rule_settings"),
    *("domain.setting_values", "domain.withdrawal_settings"),
}
# What reads a store's settings from the table.
CONFIG = {*POLICY, "adapters.dynamodb.config"}
# What reads an order, and what answers a client with one.
ORDERS = {
    *(
        "adapters.dynamodb.attributes",
        "adapters.dynamodb.orders",
        "adapters.dynamodb.stored_order",
        "domain.caller",
        "domain.cancellation",
        "domain.cancellation_request",
        "domain.events",
        "domain.ids",
    ),
    *("domain.item_rows", "domain.order", "domain.order_change", "domain.times", "domain.values"),
}
HTTP = {
    *POLICY - {"adapters.dynamodb.attributes"},
    *("domain.caller", "domain.cancellation", "domain.ids", "domain.times", "domain.values"),
    *("entrypoints.http", "entrypoints.http.api"),
    *("entrypoints.http.problems", "entrypoints.http.request", "entrypoints.http.response"),
}
# What answers with a document of an order, or of a part of one.
DOCUMENTS = {
    *("domain.cancellation_request", "domain.item_rows", "domain.order", "domain.refund_plan", "domain.rules"),
    "entrypoints.http.documents",
}
WITHDRAWALS = {
    *("adapters.dynamodb.withdrawals", "domain.withdrawal", "entrypoints.http.withdrawals", "services"),
    "services.withdraw",
}
GUEST_HTTP = {
    "domain.access",
    "entrypoints.http.guest_documents",
    "entrypoints.http.guest_requests",
    "services",
    "services.guest_access",
}
QUERIES = {*CONFIG, *ORDERS, *HTTP, *DOCUMENTS, "services", "services.queries"}
IN_THE_BACKGROUND = {"entrypoints.background", "services"}
OWN = {
    "ListReasonsFunction": {*CONFIG, *HTTP, *DOCUMENTS},
    "ListOrdersFunction": {*QUERIES, "entrypoints.http.cursor", "entrypoints.http.order_list"},
    "GetOrderFunction": QUERIES,
    "CheckEligibilityFunction": QUERIES,
    "GetCancellationFunction": QUERIES - {"adapters.dynamodb.config"},
    "CancelOrderFunction": {*CONFIG, *ORDERS, *HTTP, *DOCUMENTS, "domain.cancel", "services", "services.cancel"},
    "TakeBackRequestFunction": {*QUERIES, "domain.request_steps", "services.take_back"},
    "SubmitWithdrawalFunction": {*CONFIG, *HTTP, *WITHDRAWALS},
    "WithdrawOrderFunction": {*CONFIG, *ORDERS, *HTTP, *WITHDRAWALS, "domain.refund_plan"},
    "PublishEventsFunction": {
        *(*ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.refunds", "adapters.eventbridge"),
        *("domain.put_back", "domain.refund_document", "domain.refund_plan", "domain.times"),
        *("entrypoints.order_stream", "services.announce", "services.put_back"),
    },
    "RefundOrderFunction": {
        *(*ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.refunds", "adapters.providers", "adapters.providers.offline"),
        *("adapters.providers.registry", "domain.booking", "domain.given", "domain.operator", "domain.provider"),
        "domain.refund_document",
        *("domain.refund_plan", "domain.refund_rest", "domain.times", "entrypoints.queue", "services.providers"),
        *("services.refund", "services.refund_books"),
    },
    "SendMailFunction": {
        *(*CONFIG, *ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.mails", "adapters.mail_templates", "adapters.ses"),
        *(
            "domain.mail_facts",
            "domain.mails",
            "domain.money",
            "domain.refund_plan",
            "domain.times",
            "entrypoints.mail_queue",
        ),
        *("adapters.dynamodb.access", "domain.access", "entrypoints.guest_queue", "entrypoints.queue"),
        *("services.guest_mails", "services.mails"),
        *("adapters.dynamodb.withdrawals", "domain.rules", "domain.withdrawal", "domain.withdrawal_mails"),
        *("domain.withdrawal_outcome", "domain.withdrawal_period", "services.withdrawal_mails"),
    },
    "ProcessWithdrawalFunction": {
        *(*CONFIG, *ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.withdrawals"),
        *("adapters.eventbridge", "domain.cancel", "domain.refund_plan"),
        *("domain.rules", "domain.withdrawal", "domain.withdrawal_note"),
        *("domain.withdrawal_outcome", "domain.withdrawal_period", "entrypoints.withdrawal_stream"),
        *("services.attempts", "services.cancel", "services.process_withdrawals"),
    },
    "ProcessRequestFunction": {
        *(*CONFIG, *ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.requests", "adapters.eventbridge", "domain.cancel"),
        *("domain.refund_plan", "domain.request_events", "domain.request_row", "domain.request_steps", "domain.rules"),
        *("entrypoints.request_streams", "services.attempts", "services.cancel", "services.process_requests"),
    },
    "RequestGuestCodeFunction": {*HTTP, *GUEST_HTTP, "adapters.sqs"},
    "RedeemGuestCodeFunction": {*ORDERS, *HTTP, *GUEST_HTTP, "adapters.dynamodb.access", "domain.refund_plan"},
    "SendGuestCodeFunction": {
        *(*CONFIG, *ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.access", "adapters.sqs", "domain.access"),
        *("domain.refund_plan", "entrypoints.guest_queue", "entrypoints.queue", "services.guest_access"),
    },
    "ReconcileRefundsFunction": {
        *(*ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.refunds", "adapters.eventbridge", "domain.refund_document"),
        *("domain.refund_plan", "domain.times", "services.reconcile"),
    },
    "EraseCommentsFunction": {
        *(*ORDERS, *IN_THE_BACKGROUND, "adapters.dynamodb.requests", "domain.refund_plan", "domain.request_row"),
        *("domain.setting_values", "domain.times", "services.comments"),
    },
    "ValidateConfigFunction": {
        *(
            *CONFIG,
            *IN_THE_BACKGROUND,
            "adapters.dynamodb.config_history",
            "adapters.eventbridge",
            "domain.cancellation",
        ),
        "domain.cancellation_request",
        *("domain.config_assessment", "domain.config_description", "domain.events", "domain.ids", "domain.item_rows"),
        *("domain.order", "domain.refund_plan", "domain.times", "domain.values", "entrypoints.config_stream"),
        "services.config_edits",
    },
    "SeedConfigFunction": {*CONFIG, *IN_THE_BACKGROUND, "entrypoints.custom_resource", "services.config_seed"},
}
"""Our own modules, by function, beside those of all."""
MODULES = 440
"""Of all kinds. botocore with one client alone imports some 320."""


def test_nothing_is_imported_that_is_not_used(imported: Imported) -> None:
    ours = {
        function: {name.removeprefix("cancel_core.") for name in modules if name.startswith("cancel_core.")}
        for function, modules in imported.items()
    }
    assert ours == {function: ROOMS | EVERYWHERE | own for function, own in OWN.items()}
    for function, modules in imported.items():
        packages = {name.split(".")[0] for name in modules} - sys.stdlib_module_names - {"app"}
        # requests, which Stripe's client requires, brings it, and botocore takes it where it is.
        carried = {"RefundOrderFunction": {"certifi"}, "SendMailFunction": {"babel", "jinja2", "markupsafe"}}
        # In the layer, for these alone: the canonical form that a receipt is the hash of.
        carried |= {name: {"rfc8785"} for name in ("SubmitWithdrawalFunction", "WithdrawOrderFunction")}
        # Babel asks for the time zones, which Lambda's image may lack.
        carried["SendMailFunction"] |= {"rfc8785", "tzdata"}
        extra = carried.get(function, set())
        # It reads no document, and so needs no models.
        less = PYDANTIC if function == "SeedConfigFunction" else set()
        known = (PACKAGES | extra) - less
        assert {name for name in packages if not name.startswith("_sysconfigdata")} == known, function
        # The templates' engine is no small one; nobody waits for this cold start.
        assert len(modules) <= MODULES + (90 if function == "SendMailFunction" else 0), function


def test_nothing_is_compiled_at_a_cold_start(build: Build, imported: Imported, runtime_folder: Path) -> None:
    """Lambda's disk can't be written to, so what lacks its bytecode is compiled each time. What the runtime has counts,
    too: the product would be compared with a slower one than Lambda's.
    """
    carried = (build.layer, *build.artifacts.values())
    modules = {(name, *files) for modules in imported.values() for name, files in modules.items()}
    assert any(Path(file).is_relative_to(build.layer) for _, file, _ in modules)
    for name, file, bytecode in modules:
        is_carried = any(Path(file).is_relative_to(folder) for folder in carried)
        if not file.endswith(".py") or not (is_carried or Path(file).is_relative_to(runtime_folder)):
            continue
        assert bytecode, name
        assert Path(bytecode).exists(), name
        # PEP 552: by a hash, and not checked: a package's files do not keep their times.
        assert not is_carried or Path(bytecode).read_bytes()[4:8] == b"\x01\0\0\0", name


def test_no_annotation_of_the_domain_is_compiled(initialised: Mapping[str, Initialised]) -> None:
    """Models and named tuples evaluate their annotations, and `from __future__ import annotations` makes texts of them.
    Two of them name a type that their module does not import.
    """
    with_a_name = {"cancel_core.domain.policy", "cancel_core.domain.withdrawal_mails"}
    for function, init in initialised.items():
        ours = {name for name in init.compiling if name.startswith("cancel_core.domain.")}
        assert ours <= with_a_name, function


def test_what_no_request_uses_is_left_out(imported: Imported) -> None:
    """What writes docstrings, what reads packages' metadata, and how the interpreter was built."""
    left_out = {"botocore.docs.service", "botocore.docs.method", "html.parser", "importlib.metadata"}
    for function, modules in imported.items():
        found = left_out & modules.keys() | {name for name in modules if name.startswith("_sysconfigdata")}
        assert found == set(), function


def test_clients_are_made_from_the_trimmed_data(build: Build, initialised: Mapping[str, Initialised]) -> None:
    """Of botocore's own data only the rules of endpoints are read, which are small."""
    trimmed = build.layer / "python/cancel_core/adapters/service_data"
    for function, init in initialised.items():
        of_botocore = {Path(file).name for file in init.read if not Path(file).is_relative_to(trimmed)}
        rules = {"endpoint-rule-set-1.json.gz", "partitions.json", "sdk-default-configuration.json"}
        assert of_botocore == rules, function
        models = {Path(file).name for file in init.read if Path(file).is_relative_to(trimmed)}
        assert models == {"endpoints.json", "service-2.json"}, function


def test_the_garbage_collector_is_on_after_init(initialised: Mapping[str, Initialised]) -> None:
    """And leaves out what init has created, nearly all of which was created with the collector off."""
    assert {function for function, init in initialised.items() if init.left_out < 50_000} == set()
