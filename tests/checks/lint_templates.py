"""Lints CloudFormation templates with cfn-lint, all in one process, and prints each finding on a line.

Usage: python3 tests/checks/lint_templates.py TEMPLATE...      with the folder of tests/tools/cfn-lint on PYTHONPATH
"""

import sys
from pathlib import Path

from cfnlint.api import lint
from cfnlint.config import ManualArgs


def main(files: list[str]) -> int:
    found = 0
    for file in files:
        for match in lint(Path(file).read_text(), config=ManualArgs(regions=["eu-west-1"])):
            found += 1
            print(f"{file}: {match.rule.id} {match.message} (at {match.path_string or match.linenumber})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
