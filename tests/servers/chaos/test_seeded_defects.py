"""The list of defects for the check of the checks fits the sources; the check takes minutes."""

import ast

from seeded_defects import DEFECTS, ROOT


def test_each_defect_can_be_put_into_its_file() -> None:
    for defect in DEFECTS:
        text = (ROOT / defect.file).read_text()
        assert text.count(defect.sound) == 1, defect.name
        ast.parse(text.replace(defect.sound, defect.broken))
        for test in defect.tests:
            assert test.startswith("-k") or (ROOT / test).is_file(), test
