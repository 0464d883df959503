"""Lints IAM policies with parliament, and prints each finding on a line.

Reads them from standard input, one JSON object a line: {"name": NAME, "policy": POLICY}.

Usage: python3 tests/checks/lint_policies.py < POLICIES      with the folder of tests/tools/parliament on PYTHONPATH
"""

import json
import sys

from parliament import analyze_policy_string


def main() -> int:
    found = 0
    for line in sys.stdin:
        each = json.loads(line)
        for finding in analyze_policy_string(json.dumps(each["policy"])).findings:
            found += 1
            print(f"{each['name']}: {finding.issue} {finding.detail} {finding.location}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
