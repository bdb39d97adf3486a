"""`make clients`: lint docs/openapi.yaml and generate a client from it in each of four languages.

``python -m examples.clients.generate [typescript] [python] [kotlin] [swift] [lint]`` runs only these steps.

The clients for TypeScript and Python are committed beside their examples, so that they can be read, copied and tested
without a generator. Kotlin and Swift are generated into `.local/clients` by one start of openapi-generator, which needs
Java. If all steps have passed, `generated.sha256` gets the SHA-256 of the document; a test compares it.

npm installs the packages of generators/package-lock.json, and `.venv-clients` has those of requirements/clients.txt.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCUMENT = ROOT / "docs" / "openapi.yaml"
STATED = HERE / "generated.sha256"
OUTPUT = ROOT / ".local" / "clients"
VENV = ROOT / ".venv-clients" / "bin"


class GenerateError(Exception):
    """A tool is missing or has failed. The message has its output."""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Returns what a tool prints. Raises GenerateError if it fails."""
    path = {"PATH": f"{VENV}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GenerateError(f"{command[0]} exited with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def packages(of: Path, into: Path) -> Path:
    """The `node_modules` with the npm packages of a folder's package-lock.json, installed if the lock has changed."""
    lock, installed = of / "package-lock.json", into / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        npm = shutil.which("npm")
        if npm is None:
            raise GenerateError("npm is not installed: it installs the TypeScript generator and the linters.")
        into.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(of / name, into)
        try:
            run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", cwd=into)
        except GenerateError:
            installed.unlink()
            raise
    return into / "node_modules"


def _generators() -> Path:
    return packages(HERE / "generators", OUTPUT / "generators")


def lint() -> None:
    """Spectral's rules for OpenAPI and Redocly's recommended rules. Any finding fails, also a warning."""
    spectral = _generators() / ".bin" / "spectral"
    run(spectral, "lint", "--fail-severity=hint", "--ruleset", HERE / "generators" / "spectral.yaml", DOCUMENT)
    program = shutil.copy(HERE / "generators" / "lint.mjs", OUTPUT / "generators")
    run("node", program, DOCUMENT)


def typescript() -> None:
    """Types by openapi-typescript, for openapi-fetch."""
    run(_generators() / ".bin" / "openapi-typescript", DOCUMENT, "-o", HERE / "typescript" / "api.d.ts")


def python() -> None:
    """A package by openapi-python-client."""
    target, settings = HERE / "python" / "cancel_core_client", OUTPUT / "python.yaml"
    OUTPUT.mkdir(parents=True, exist_ok=True)
    # The templates have exceptions from a rule of the generator's own project, which ruff takes away as unused.
    hooks = ["ruff check --quiet --isolated --select RUF100 --fix .", "ruff format --quiet --line-length 120 ."]
    settings.write_text(f"package_name_override: cancel_core_client\npost_hooks: {json.dumps(hooks)}\n")
    options = ["--meta", "none", "--overwrite", "--fail-on-warning", "--config", str(settings)]
    printed = run(VENV / "openapi-python-client", "generate", "--path", DOCUMENT, "--output-path", target, *options)
    if "arning" in printed:
        raise GenerateError(printed)


def mobile(names: Sequence[str] = ("kotlin", "swift")) -> None:
    """Both by one start of Java."""
    for name in names:
        shutil.rmtree(OUTPUT / name, ignore_errors=True)
    settings = [HERE / name / "settings.yaml" for name in names]
    printed = run(VENV / "openapi-generator-cli", "batch", "--fail-fast", *settings)
    if wrong := [line for line in printed.splitlines() if " ERROR " in line or "[error]" in line]:
        raise GenerateError("\n".join(wrong))


STEPS: Mapping[str, Callable[[], None]] = {
    "lint": lint,
    "typescript": typescript,
    "python": python,
    "kotlin": lambda: mobile(["kotlin"]),
    "swift": lambda: mobile(["swift"]),
}


def statement() -> str:
    """The content of generated.sha256 for the document as it is now, in the form of sha256sum."""
    return f"{hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()}  docs/openapi.yaml\n"


def main(arguments: Sequence[str]) -> int:
    """The exit code is 1 if a step fails."""
    if unknown := set(arguments) - STEPS.keys():
        print(f"not one of {', '.join(STEPS)}: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    steps = [STEPS[name] for name in arguments] or [lint, typescript, python, mobile]
    try:
        for step in steps:
            step()
    except GenerateError as error:
        print(error, file=sys.stderr)
        return 1
    if not arguments:
        STATED.write_text(statement(), encoding="utf-8")
    print(f"generated from docs/openapi.yaml: {', '.join(arguments) or 'lint, typescript, python, kotlin, swift'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
