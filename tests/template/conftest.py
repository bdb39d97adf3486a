from __future__ import annotations

import copy
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.template import read
from tests.support.machine import ROOT

Json = dict[str, Any]


@pytest.fixture(scope="session")
def template() -> Json:
    """template.yaml as it is written."""
    return read(ROOT / "template.yaml")


@pytest.fixture(scope="session")
def resources(template: Json) -> dict[str, Json]:
    found: dict[str, Json] = template["Resources"]
    return found


@pytest.fixture(scope="session")
def functions(resources: dict[str, Json]) -> dict[str, Json]:
    """Properties of each function, without the globals, by the name of its folder."""
    return {
        resource["Properties"]["CodeUri"].removeprefix("functions/").rstrip("/"): resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def deployed(template: Json) -> Json:
    """What CloudFormation gets to see: the SAM transform's result, with every parameter at its default."""
    return transform(template)


def transform(template: Json, *, layer: str = "layer", **parameters: str) -> Json:
    """Runs on this machine as it does in AWS, which hands it lists as lists. `layer`: what it is uploaded as.
    `parameters`: values in place of the defaults."""
    source = copy.deepcopy(template)
    for resource in source["Resources"].values():
        # `sam package` puts the uploaded artifact's address here.
        for name, artifact in (("CodeUri", "function"), ("ContentUri", layer)):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = f"s3://artifacts/{artifact}"
    values = {
        name: parameter["Default"].split(",") if parameter["Type"] == "CommaDelimitedList" else parameter["Default"]
        for name, parameter in source["Parameters"].items()
    }
    values |= parameters
    session = boto3.Session(region_name="eu-north-1")
    translator = Translator({}, Parser(), boto_session=session)
    translated = translator.translate(source, parameter_values=values)
    assert isinstance(translated, dict)
    return translated
