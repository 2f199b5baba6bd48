import subprocess
import sys

import numpy as np
import pytest

from gigym.grouping import BadKey, structured_key
from gigym.grouping.keys import intern, reference_key


def test_scalars_of_different_types_are_different_keys() -> None:
    ids, keys = intern([1, 1.0, True, "1", b"1", 1])
    assert ids.tolist() == [0, 1, 2, 3, 4, 0]
    assert [type(key) for key in keys] == [int, float, bool, str, bytes]


def test_numpy_scalars_count_as_their_python_type() -> None:
    column = [np.int32(7), 7, np.float64(7), 7.0, np.bool_(True), True, np.str_("a"), "a"]
    assert intern(column)[0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_column_of_one_type_gives_the_ids_of_first_appearance() -> None:
    ids, keys = intern(["b", "a", "b", "c"])
    assert ids.tolist() == [0, 1, 0, 2]
    assert keys == ("b", "a", "c")


def test_a_list_is_no_scalar_key_and_the_error_says_what_to_do() -> None:
    with pytest.raises(BadKey, match="structured_key"):
        intern(["a", ["b"]])


def test_structured_keys_tell_shapes_dtypes_and_types_apart() -> None:
    values: list[object] = [
        np.zeros(4, np.int64),
        np.zeros((2, 2), np.int64),
        np.zeros(4, np.int32),
        [0, 0, 0, 0],
        [0, [0, 0, 0]],
        {"a": 0},
        {"a": False},
        "",
        b"",
        None,
        "\ud800",
    ]
    assert len({structured_key(value) for value in values}) == len(values)


def test_equal_content_gives_equal_keys_whatever_the_container() -> None:
    assert structured_key({"b": (1, 2), "a": -0.0}) == structured_key({"a": 0.0, "b": [1, 2]})
    assert structured_key(np.asfortranarray([[1, 2], [3, 4]])) == structured_key(
        np.array([[1, 2], [3, 4]])
    )


def test_keys_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    code = "from gigym.grouping import structured_key as k; print(k({'a': [1, {'b': None}]}))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert printed == {structured_key({"a": [1, {"b": None}]}) + "\n"}


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), np.longdouble(1)])
def test_values_without_a_canonical_form_are_refused(value: object) -> None:
    with pytest.raises(BadKey):
        structured_key(value)


def test_the_reference_merges_what_python_calls_equal() -> None:
    assert reference_key(np.zeros((2, 2))) == reference_key([0, False, 0.0, 0])
    with pytest.raises(BadKey):
        reference_key(None)
