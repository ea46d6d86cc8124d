# SPDX-License-Identifier: Apache-2.0
"""STAC documents against JSON Schemas. Debian has neither the official ones nor pystac, and tests fetch nothing: those in
tests/support/stac are our own, written from the tables of the specification, and say what each is of."""
import json
from pathlib import Path

FOLDER = Path(__file__).with_name("stac")


def missing():
    """What keeps this machine from checking, or nothing."""
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        return "python3-jsonschema is not installed: STAC documents were not checked"
    return ""


def problems(document):
    """What is wrong with an Item or a Collection, each as "where: what"; empty when it is valid."""
    from jsonschema import Draft7Validator, RefResolver
    schemas = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in FOLDER.glob("*.json")}
    wanted = ["collection.json" if document.get("type") == "Collection" else "item.json"]
    if any(e.startswith("https://stac-extensions.github.io/projection/") for e in document.get("stac_extensions", [])) or '"proj:' in json.dumps(document):
        wanted.append("projection.json")
    found = []
    for name in wanted:
        Draft7Validator.check_schema(schemas[name])
        resolver = RefResolver("", schemas[name], store={**schemas})
        for e in Draft7Validator(schemas[name], resolver=resolver).iter_errors(document):
            found.append(f"{'/'.join(map(str, e.absolute_path)) or '.'}: {e.message}")
    return sorted(found)
