"""botocore's service data, trimmed to what the functions use: ``python requirements/service_data.py FOLDER`` writes it.

make runs it with the locked botocore and FOLDER in the layer, where `cancel_core.adapters.aws` finds it: for
`make build` in the built one, for `make run` in the sources. A client made from it takes a third of the time. What is
not here, botocore reads from its own data.

A service model keeps its metadata, the operations of the list, the shapes that these use, and all errors. The
endpoints keep these services.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

Json = dict[str, Any]

OPERATIONS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset({"BatchGetItem", "GetItem", "PutItem", "Query", "Scan", "TransactWriteItems", "UpdateItem"}),
    "events": frozenset({"PutEvents"}),
    "secretsmanager": frozenset({"GetSecretValue"}),
    "sesv2": frozenset({"SendEmail"}),
    "sqs": frozenset({"ChangeMessageVisibility", "SendMessage"}),
}
"""What the functions call, by service."""


def write(folder: Path) -> None:
    """Writes the files in the order of botocore's own folder: <service>/<API version>/service-2.json."""
    loader = Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
    prefixes: set[str] = set()
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        model = service_model(loader.load_data(f"{service}/{version}/service-2"), operations)
        prefixes.add(model["metadata"]["endpointPrefix"])
        _put(folder / service / version / "service-2.json", model)
    _put(folder / "endpoints.json", endpoints(loader.load_data("endpoints"), prefixes))


def service_model(full: Json, operations: frozenset[str]) -> Json:
    """A service model of these operations alone. KeyError: the service has no such operation."""
    kept = {name: full["operations"][name] for name in sorted(operations)}
    wanted = [shape for operation in kept.values() for shape in _references(operation)]
    wanted += [name for name, shape in full["shapes"].items() if shape.get("exception")]
    shapes: Json = {}
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = full["shapes"][name]
            wanted += _references(shapes[name])
    ordered = {name: shape for name, shape in full["shapes"].items() if name in shapes}
    trimmed: Json = _without_words(full | {"operations": kept, "shapes": ordered})
    return trimmed


def endpoints(full: Json, prefixes: set[str]) -> Json:
    """The endpoints of these services, in every partition."""
    partitions = [
        partition | {"services": {name: one for name, one in partition["services"].items() if name in prefixes}}
        for partition in full["partitions"]
    ]
    return full | {"partitions": partitions}


def _references(part: Any) -> Iterator[str]:
    """The names of the shapes that an operation or a shape refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


def _without_words(part: Any) -> Any:
    """Without the documentation, which is most of a model."""
    if isinstance(part, dict):
        return {
            name: _without_words(one)
            for name, one in part.items()
            if not isinstance(one, str) or name != "documentation"
        }
    return [_without_words(one) for one in part] if isinstance(part, list) else part


def _put(file: Path, data: Json) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
