"""Says which resources CloudFormation makes anew between two templates, from AWS's schemas: those of which a property
differs that can only be set when the resource is made, and those that refer to such a one in such a property.

Reads pairs from standard input, one JSON object a line: {"old": TEMPLATE, "new": TEMPLATE, "old_parameters": {...},
"new_parameters": {...}}. Prints a JSON list of logical ids for each.

Usage: python3 tests/checks/replacements.py < PAIRS      with the folder of tests/tools/cfn-lint on PYTHONPATH
"""

import json
import re
import sys
from typing import Any

from create_only import create_only

KNOWN: dict[str, set[str]] = {}


def only_when_made(kind: str) -> set[str]:
    if kind not in KNOWN:
        KNOWN[kind] = set(create_only(kind))
    return KNOWN[kind]


def valued(value: Any, parameters: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if list(value) == ["Ref"] and value["Ref"] in parameters:
            return parameters[value["Ref"]]
        return {key: valued(each, parameters) for key, each in value.items()}
    if isinstance(value, list):
        return [valued(each, parameters) for each in value]
    return value


def names(value: Any) -> set[str]:
    """The resources that a value refers to."""
    if isinstance(value, dict):
        found = set()
        for key, each in value.items():
            if key == "Ref":
                found.add(each)
            elif key == "Fn::GetAtt":
                found.add(each[0] if isinstance(each, list) else each.split(".")[0])
            elif key == "Fn::Sub":
                text = each if isinstance(each, str) else each[0]
                found |= {name.split(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text)}
            else:
                found |= names(each)
        return found
    if isinstance(value, list):
        return set().union(*map(names, value)) if value else set()
    return set()


def replaced(pair: dict[str, Any]) -> list[str]:
    old = valued(pair["old"]["Resources"], pair["old_parameters"])
    new = valued(pair["new"]["Resources"], pair["new_parameters"])
    anew = set()
    for name in old.keys() & new.keys():
        before, after = old[name].get("Properties", {}), new[name].get("Properties", {})
        differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if differ & only_when_made(new[name]["Type"]):
            anew.add(name)
    while True:
        more = {
            name
            for name in old.keys() & new.keys()
            if any(
                key in only_when_made(new[name]["Type"]) and names(value) & anew
                for key, value in new[name].get("Properties", {}).items()
            )
        }
        if more <= anew:
            return sorted(anew)
        anew |= more


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(replaced(json.loads(line))))
