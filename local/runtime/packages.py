"""What AWS's Python runtime itself carries, for those who keep a function from seeing anything else."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path


def link_runtime(folder: Path) -> Path:
    """Fill ``folder`` with links to what AWS's Python runtime itself carries: boto3, the runtime client, and what they
    require.

    Read from the metadata of the packages installed here. With it on ``Function.path`` and ``python -S`` as the
    command, a function sees these, its own code and its layer, and nothing else. Returns ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted, seen = ["boto3", "awslambdaric"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        package = importlib.metadata.distribution(name)
        wanted += [
            re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in package.requires or [] if "extra ==" not in line
        ]
        # The bytecode of a package that is one module lies in a folder that it shares with others.
        files = (file.parts for file in package.files or [] if file.parts[0] != "..")
        for top in {Path(*parts) if parts[0] == "__pycache__" else Path(parts[0]) for parts in files}:
            if not (folder / top).exists():
                (folder / top).parent.mkdir(exist_ok=True)
                (folder / top).symlink_to(Path(str(package.locate_file(str(top)))))
    return folder
