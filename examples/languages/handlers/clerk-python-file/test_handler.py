"""`python3 -m unittest` in this folder: no WebAssembly, no AWS."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "../../vendor/gristmill-python")]

from gristmill.testing import Record
from handler import file


class Test(unittest.TestCase):
    def test_a_change_is_handled(self) -> None:
        record = (
            Record.modify("test-table")
            .key("id", "1")
            .old_attribute("name", "Tung")
            .new_attribute("name", "Tung Nguyen")
        )
        file(record.build())


if __name__ == "__main__":
    unittest.main()
