"""What is in the packages, and that the tests beside this one would notice what is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from requirements.sbom import sbom
from tests.bench.sizes import sizes
from tests.conftest import Aws
from tests.package.conftest import payload, start
from tests.security.scan import NPM_LOCKS
from tests.support.builds import Build
from tests.support.machine import ROOT

MEGABYTE = 1024 * 1024


def test_the_layer_is_small(build: Build) -> None:
    assert sizes(build).layer.zipped <= 5 * MEGABYTE


def test_the_layer_leaves_to_the_runtime_what_is_the_runtimes(build: Build) -> None:
    carried = {path.name.split("-")[0].removesuffix(".py") for path in (build.layer / "python").iterdir()}
    assert {"cancel_core", "aws_lambda_powertools", "pydantic"} <= carried
    # A second botocore would shadow the runtime's, and the X-Ray SDK costs most of a cold start.
    assert not carried & {
        "boto3",
        "botocore",
        "s3transfer",
        "urllib3",
        "aws_xray_sdk",
        "awslambdaric",
        "snapshot_restore_py",
    }


def test_an_artifact_is_the_function_and_what_it_alone_requires(build: Build) -> None:
    for name, artifact in build.artifacts.items():
        found = {path.name for path in artifact.iterdir() if path.name != "__pycache__"}
        if name == "RefundOrderFunction":
            assert {"app.py", "stripe"} <= found
            # The runtime's own would be shadowed.
            assert not found & {"boto3", "botocore", "cancel_core", "pydantic"}
        elif name == "SendMailFunction":
            assert {"app.py", "templates", "babel", "jinja2", "markupsafe"} <= found
            assert not found & {"boto3", "botocore", "cancel_core", "pydantic"}
        else:
            assert found == {"app.py"}


def test_handlers_are_short() -> None:
    for path in ROOT.glob("functions/*/app.py"):
        assert len(path.read_text().splitlines()) <= 80, path


def test_a_dependency_missing_from_the_layer_is_noticed(
    build: Build, aws: Aws, runtime_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "python").mkdir()
    for path in (build.layer / "python").iterdir():
        if path.name != "pydantic":
            (tmp_path / "python" / path.name).symlink_to(path)
    with start(build, tmp_path, aws, runtime_folder) as broken:
        result = broken.runtime.invoke("CancelOrderFunction", payload("cancel_order"))
    assert result.error == "Unhandled"
    assert "No module named 'pydantic'" in "\n".join([result.payload.decode(), *broken.said])


def test_a_build_says_what_it_carries(build: Build) -> None:
    """CycloneDX, by its own validator; and nothing that lies in the packages is missing."""
    folder = build.layer.parent
    document = sbom(folder)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document)) is None
    assert sbom(folder) == document
    listed = {(one["name"], one["version"]) for one in document["components"]}
    locks = [ROOT / "layers/cancel_core/requirements.txt", *ROOT.glob("functions/*/requirements.txt")]
    locked = {
        (match[1].lower(), match[2])
        for lock in locks
        for match in re.finditer(r"^([A-Za-z0-9_.-]+)==([^ \\;]+)", lock.read_text(), re.MULTILINE)
    }
    assert {name for name, _ in listed} >= {"pydantic", "pydantic-core", "aws-lambda-powertools", "stripe"}
    assert listed <= locked
    where = {one["name"]: one["properties"][0]["value"] for one in document["components"]}
    assert where["stripe"] == "RefundOrderFunction"
    assert where["jinja2"] == where["babel"] == "SendMailFunction"
    assert where["pydantic"] == build.layer.name


def test_what_npm_brings_is_locked_with_its_integrity() -> None:
    for folder in NPM_LOCKS:
        packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
        of_others = {name: one for name, one in packages.items() if "node_modules/" in name and not one.get("link")}
        assert of_others, folder
        assert [name for name, one in of_others.items() if not one.get("integrity", "").startswith("sha512-")] == []
