"""What AWS's own tools say beyond `make check`, which has them look at the template itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.machine import ROOT, checkov


def test_cfn_lint_finds_nothing_in_what_the_transform_makes(deployed: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "deployed.template.json"
    path.write_text(json.dumps(deployed))
    # W2001: the transform itself puts this parameter's value in, so nothing refers to it any more.
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [lint, "--ignore-checks", "W2001", "--template", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_checkov_finds_what_is_excepted_with_its_reason(tmp_path: Path) -> None:
    # From elsewhere, where there are no exceptions: each of ours is still needed.
    arguments = ["-f", str(ROOT / "template.yaml"), "--framework", "cloudformation", "--skip-download", "-o", "json"]
    done = subprocess.run([checkov(), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    found = {one["check_id"] for one in json.loads(done.stdout)["results"]["failed_checks"]}
    excepted = re.findall(r"^  - (\w+)  # \w.{20,}", (ROOT / ".checkov.yaml").read_text(), re.MULTILINE)
    assert found == set(excepted)
