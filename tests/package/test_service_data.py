"""botocore's data as `make build` trims it: it has what is called, says the same, and suits other versions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import EndpointProviderError, EndpointVariantError, UnknownServiceError
from botocore.loaders import Loader
from botocore.parsers import create_parser
from botocore.regions import EndpointResolver
from botocore.serialize import create_serializer
from botocore.session import Session
from cancel_core.adapters import aws

from requirements.service_data import OPERATIONS, write
from tests.support.machine import ROOT, checkov, sam_cli
from tests.support.service_data import CALLED, parameters, sample, sent, session_of
from tests.template.test_permissions import ALLOWED

# Lambda polls streams and queues with these, in the function's role. Source: Lambda developer guide, "Process DynamoDB
# records with Lambda" and "Creating and configuring an Amazon SQS event source mapping".
OF_LAMBDA = {
    *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
    *("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
}
# A transaction needs the rights of its items.
WITHOUT_A_RIGHT = {"dynamodb:TransactWriteItems"}
CODE = [*ROOT.glob("layers/cancel_core/**/*.py"), *ROOT.glob("functions/**/*.py")]
CALL = re.compile(r"""client(?:\(\))?\.(?:get_(?:paginator|waiter)\("(\w+)"\)|(\w+)\()""")


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service_data")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def ours(trimmed: Path) -> Session:
    return session_of(trimmed)


def test_the_data_has_what_the_roles_allow() -> None:
    listed = {f"{service.removesuffix('v2')}:{operation}" for service, operation in CALLED}
    allowed = {action for rights in ALLOWED.values() for action, _ in rights}
    assert listed - WITHOUT_A_RIGHT == allowed - OF_LAMBDA


def test_the_data_has_what_the_code_calls() -> None:
    called = {paged or method for file in CODE for paged, method in CALL.findall(file.read_text())}
    assert called == {xform_name(operation) for _, operation in CALLED}


def test_a_trimmed_model_says_the_same(ours: Session) -> None:
    """Requests, answers and errors of each operation, by botocore's own serializers and parsers."""
    whole = Session()
    for service in OPERATIONS:
        one, other = ours.get_service_model(service), whole.get_service_model(service)
        assert one.metadata == other.metadata
        assert set(one.operation_names) == OPERATIONS[service]
        assert [shape.name for shape in one.error_shapes] == [shape.name for shape in other.error_shapes]
    for service, name in CALLED:
        models = [session.get_service_model(service) for session in (ours, whole)]
        operations = [model.operation_model(name) for model in models]
        given = sample(operations[1].input_shape)
        protocol = models[1].resolved_protocol
        assert models[0].resolved_protocol == protocol
        requests = [
            create_serializer(protocol, include_validation=False).serialize_to_request(given, operation)
            for operation in operations
        ]
        assert requests[0] == requests[1], name

        shapes: list[Any] = [operation.output_shape for operation in operations]
        answer = _answer(200, sample(shapes[1], in_json=True))
        parsed = [create_parser(protocol).parse(answer, shape) for shape in shapes]
        assert parsed[0] == parsed[1], name
        for error in models[1].error_shapes:
            answer = _answer(400, sample(error, in_json=True) | {"__type": f"prefix#{error.name}"})
            errors = [create_parser(protocol).parse(answer, model.shape_for(error.name)) for model in models]
            assert errors[0] == errors[1], error.name


def _answer(status: int, body: Any) -> dict[str, Any]:
    return {"status_code": status, "headers": {"x-amzn-requestid": "1"}, "body": json.dumps(body).encode()}


FIRST = {service: min(operations) for service, operations in OPERATIONS.items()}
REGIONS = ("eu-north-1", "us-east-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "xx-new-1")


def test_endpoints_are_the_same(ours: Session) -> None:
    """Of every region that botocore knows, and of one that it does not; and the address a request is sent to."""
    whole = Session()
    data = [session.get_component("data_loader").load_data("endpoints") for session in (ours, whole)]
    one, other = map(EndpointResolver, data)
    regions = {region for partition in data[1]["partitions"] for region in partition["regions"]}
    prefixes = {whole.get_service_model(service).endpoint_prefix for service in OPERATIONS}
    variants: list[dict[str, Any]] = [{}, {"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}]
    for asked in product(prefixes, {*regions, *REGIONS}, variants):
        assert _resolved(one, *asked) == _resolved(other, *asked), asked
    for region, (service, operation) in product(REGIONS, FIRST.items()):
        given = parameters(whole, service, operation)
        for both in ({}, {"use_fips_endpoint": True, "use_dualstack_endpoint": True}):
            requests = [_sent(session, service, operation, given, region, both) for session in (ours, whole)]
            assert requests[0] == requests[1], (region, service, both)


def _resolved(resolver: EndpointResolver, prefix: str, region: str, variant: dict[str, Any]) -> Any:
    try:
        return resolver.construct_endpoint(prefix, region, **variant)
    except EndpointVariantError as error:
        return str(error)


def _sent(session: Session, service: str, operation: str, given: Any, region: str, config: dict[str, bool]) -> Any:
    try:
        return sent(session, service, operation, given, region, **config)
    except (EndpointProviderError, EndpointVariantError) as error:
        return str(error)


def test_the_handlers_are_of_the_services_that_are_called(ours: Session) -> None:
    assert {ours.get_service_model(service).service_id.hyphenize() for service in OPERATIONS} == aws.SERVICES


def test_what_is_not_trimmed_is_botocores_own(trimmed: Path, ours: Session, tmp_path: Path) -> None:
    whole = Session()
    assert ours.create_client("sts", "eu-north-1").meta.service_model.operation_names == (
        whole.get_service_model("sts").operation_names
    )
    assert ours.get_paginator_model("dynamodb").get_paginator("Query")
    assert ours.get_waiter_model("dynamodb").waiter_names
    with pytest.raises(UnknownServiceError):
        ours.create_client("nothing", "eu-north-1")
    # The sources have no trimmed data, as under `make run`.
    bare = session_of(tmp_path / "nowhere")
    assert len(bare.get_service_model("dynamodb").operation_names) > 50
    # A botocore with a newer version of an API uses it.
    newer = Loader(extra_search_paths=[str(trimmed)], include_default_search_paths=False)
    shutil.copytree(Path(Loader.BUILTIN_DATA_PATH, "dynamodb/2012-08-10"), tmp_path / "dynamodb/2099-01-01")
    loader = aws.ServiceData(str(trimmed))
    loader.search_paths.append(str(tmp_path))
    assert len(loader.load_service_model("dynamodb", "service-2")["operations"]) > 50
    assert len(newer.load_service_model("dynamodb", "service-2")["operations"]) == len(OPERATIONS["dynamodb"])


def run(folder: Path, python: Path, *arguments: str | Path, **more: str) -> str:
    """What a Python with these arguments says. It sees the sources, and its own packages."""
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/cancel_core'}",
        "HOME": str(folder),
        **more,
    }
    done = subprocess.run(
        [python, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def pythons() -> list[Path]:
    """The environments of two tools have older versions than the locked one."""
    return [program.with_name("python") for program in (sam_cli(), checkov())]


def test_each_version_of_botocore_sends_the_same(trimmed: Path, ours: Session, tmp_path: Path) -> None:
    """And calls the same handlers. By itself, for others in this process register handlers, too. The runtime's version
    may be older than the locked one, or newer.
    """
    others = pythons()
    versions = {
        run(tmp_path, python, "-m", "tests.support.service_data", trimmed) for python in (Path(sys.executable), *others)
    }
    assert len(versions) >= 3
    # The other way round: data of an older one, read by the locked one.
    run(tmp_path, others[1], ROOT / "requirements" / "service_data.py", tmp_path / "older")
    older = session_of(tmp_path / "older")
    for service, operation in CALLED:
        given = parameters(older, service, operation)
        assert sent(older, service, operation, given) == sent(ours, service, operation, given)


CLIENTS = """\
import sys
from cancel_core.adapters import aws
from botocore.loaders import Loader
client = aws.new_session(Loader()).create_client("dynamodb", "eu-north-1")
assert client.get_item.__doc__ == "" == client.get_paginator("query").paginate.__doc__
assert client.get_waiter("table_exists").wait.__doc__ == ""
assert not {"botocore.docs.method", "html.parser"} & sys.modules.keys()
import boto3
assert boto3.resource("dynamodb", "eu-north-1").Table("orders").put_item
from urllib3 import http2
assert http2.inject_into_urllib3
"""


def test_docstrings_are_left_out_of_any_botocore(tmp_path: Path) -> None:
    """Clients work without them, and boto3, which imports what writes them, works beside, before or after. So does what
    turns HTTP/2 on.
    """
    before = "import boto3, sys; docs = sys.modules['botocore.docs']; import cancel_core\n"
    for python in (Path(sys.executable), *pythons()):
        run(tmp_path, python, "-c", CLIENTS, AWS_LAMBDA_FUNCTION_NAME="cancel")
        kept = f"{before}assert docs is sys.modules['botocore.docs']"
        run(tmp_path, python, "-c", kept, AWS_LAMBDA_FUNCTION_NAME="cancel")
