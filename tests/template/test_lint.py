"""What AWS's own tools say of the template, and of what the SAM transform makes of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.machine import ROOT, checkov, sam_cli


def _finds_nothing(*command: str | Path) -> None:
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _cfn_lint(*arguments: str | Path) -> None:
    _finds_nothing(Path(sys.executable).with_name("cfn-lint"), *arguments)


def test_cfn_lint_finds_nothing_in_the_template() -> None:
    _cfn_lint("template.yaml")


def test_cfn_lint_finds_nothing_in_what_the_transform_makes(deployed: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "deployed.template.json"
    path.write_text(json.dumps(deployed))
    # W2001: the transform itself puts this parameter's value in, so nothing refers to it any more.
    _cfn_lint("--ignore-checks", "W2001", "--template", path)


def test_sam_validates_the_template() -> None:
    _finds_nothing(sam_cli(), "validate", "--lint", "--region", "eu-north-1")


def test_checkov_finds_nothing_but_what_is_excepted_with_its_reason(tmp_path: Path) -> None:
    _finds_nothing(checkov(), "-f", "template.yaml")
    # From elsewhere, where there are no exceptions: each of ours is still needed.
    arguments = ["-f", str(ROOT / "template.yaml"), "--framework", "cloudformation", "--skip-download", "-o", "json"]
    done = subprocess.run([checkov(), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    found = {one["check_id"] for one in json.loads(done.stdout)["results"]["failed_checks"]}
    excepted = re.findall(r"^  - (\w+)  # \w.{20,}", (ROOT / ".checkov.yaml").read_text(), re.MULTILINE)
    assert found == set(excepted)
