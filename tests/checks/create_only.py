"""Prints, for types of resources, the properties whose change makes a resource anew: `createOnlyProperties` of AWS's
schemas, as cfn-lint carries them.

Usage: python3 tests/checks/create_only.py TYPE...      with the folder of tests/tools/cfn-lint on PYTHONPATH
"""

import json
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER


def top_level(pointer: str) -> str:
    return pointer.split("/")[2]


def create_only(kind: str) -> list[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema
    return sorted({top_level(pointer) for pointer in schema.get("createOnlyProperties", [])})


if __name__ == "__main__":
    print(json.dumps({kind: create_only(kind) for kind in sys.argv[1:]}, sort_keys=True))
