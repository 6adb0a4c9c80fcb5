"""JetPack 5 has Python 3.8; nothing later may creep in."""

import ast
import re

import pytest
from conftest import SCRIPTS

FILES = sorted(SCRIPTS.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_python_3_8_can_read_it(path):
    text = path.read_text()
    ast.parse(text, feature_version=(3, 8))
    # annotations are evaluated: list[int] and int | None came with 3.9 and 3.10
    for node in ast.walk(ast.parse(text)):
        notes = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for note in filter(None, notes):
            assert not re.search(r"\b(list|dict|tuple|set|frozenset|type)\[|\|", ast.unparse(note)), ast.unparse(note)
    assert not re.search(r"\.remove(prefix|suffix)\(|\bmath\.lcm\(|zip\([^)]*strict=", text)


def test_the_limits_of_this_test():
    with pytest.raises(SyntaxError):
        ast.parse("match x:\n  case 1: pass", feature_version=(3, 8))
    assert len(FILES) > 20
