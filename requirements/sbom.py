"""What a build carries, as a CycloneDX 1.6 document: ``python requirements/sbom.py .aws-sam/build`` writes it to
``.aws-sam/build/sbom.cdx.json``.

It is read from the packages that lie in the layer and in the functions' artifacts, not from the lock files: what was
built, not what was meant. The same build makes the same document. Standard library alone: ``make build`` has no more.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

FILE = "sbom.cdx.json"


def sbom(build: Path) -> dict[str, Any]:
    """``build``: a folder with the layer and the artifacts in folders of their own."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for metadata in sorted(build.glob("*/**/*.dist-info/METADATA")):
        told = HeaderParser().parsestr(metadata.read_text(encoding="utf-8"))
        name, version = str(told["Name"]).lower().replace("_", "-"), str(told["Version"])
        purl = f"pkg:pypi/{name}@{version}"
        component = found.setdefault(
            (name, version),
            {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "properties": []},
        )
        if said := told["License-Expression"] or told["License"]:
            # A whole text, in some.
            component["licenses"] = [{"license": {"name": str(said).splitlines()[0][:100]}}]
        record = metadata.with_name("RECORD")
        where = {"name": "cancel-core:artifact", "value": metadata.relative_to(build).parts[0]}
        component["properties"].append(where)
        if record.exists():
            # Hashes of every file of the package, as they were installed.
            digest = hashlib.sha256(record.read_bytes()).hexdigest()
            component["properties"].append({"name": f"cancel-core:record-sha256:{where['value']}", "value": digest})
    components = [found[key] for key in sorted(found)]
    refs = [component["bom-ref"] for component in components]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "cancel-core", "name": "cancel-core"}},
        "components": components,
        "dependencies": [{"ref": "cancel-core", "dependsOn": refs}],
    }


def main(build: Path) -> None:
    """Writes the document into the build's folder."""
    document = sbom(build)
    (build / FILE).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{build / FILE}: {len(document['components'])} packages\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
