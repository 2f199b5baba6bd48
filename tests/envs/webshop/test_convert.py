"""WebShop's files become a store: raw or processed, packed or not, whole or refused."""

import gzip
import json
import lzma
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gigym
from gigym.envs import BadOption
from gigym.envs.webshop.convert import convert
from gigym.envs.webshop.errors import CatalogueError
from gigym.envs.webshop.sources import Origin, open_catalogue
from gigym.envs.webshop.store import Store, open_store
from gigym.envs.webshop.streaming import elements, pairs

RAW: list[dict[str, Any]] = [
    {
        "asin": "B000000001",
        "name": "Harbor Cotton Shirt",
        "full_description": "A shirt for the harbor.",
        "small_description": ["Soft cotton", "Machine wash"],
        "pricing": "$12.50 - $20.00",
        "category": "fashion",
        "query": " Mens Shirts ",
        "product_category": "Clothing \u203a Men \u203a Shirts",
        "customization_options": {
            "Size": [{"value": "Small"}, {"value": "X-Large"}],
            "Color": [{"value": " Black/White "}, {"value": "Light Blue"}],
            "Team": None,
        },
        "seller_name": "unused",
    },
    {
        "asin": "B000000002",
        "name": "Desk Lamp",
        "full_description": "",
        "small_description": "one bullet",
        "pricing": "",
        "category": "garden",
        "query": "lamps",
        "product_category": "Home \u203a Lamps",
        "customization_options": "",
    },
]
ABOUT = {
    "B000000001": {
        "attributes": ["soft cotton", "machine wash"],
        "instruction": "Find me a shirt",
        "instruction_attributes": ["soft cotton"],
    },
    "B000000002": {"attributes": []},
}
HUMAN = {
    "B000000002": [
        {"instruction": "no attributes", "instruction_attributes": [], "instruction_options": []},
        {
            "instruction": "i need a lamp.",
            "instruction_attributes": ["one bullet"],
            "instruction_options": ["brass"],
        },
    ]
}


def written(folder: Path, **files: object) -> dict[str, Path]:
    paths = {name: folder / f"{name}.json" for name in files}
    for name, tree in files.items():
        paths[name].write_text(json.dumps(tree))
    return paths


def converted(folder: Path, rows: object = RAW) -> Store:
    paths = written(folder, products=rows, about=ABOUT, human=HUMAN)
    convert(paths["products"], paths["about"], paths["human"], folder / "store")
    return open_store(folder / "store")


def test_raw_products_become_records(tmp_path: Path) -> None:
    shop = converted(tmp_path)
    shirt, lamp = shop.product(0), shop.product(1)
    assert (shirt.prices, shirt.price_text) == ((12.5, 20.0), "$12.5 to $20.0")
    assert shirt.options == (
        ("size", ("small", "x-large")),
        ("color", ("black | white", "light blue")),
    )
    assert (shirt.query, shirt.attributes) == ("mens shirts", ("soft cotton", "machine wash"))
    assert (lamp.prices, lamp.price_text, lamp.bullets) == ((100.0,), "$100.0", ("one bullet",))
    assert lamp.attributes == ("DUMMY_ATTR",)


def test_long_and_repeated_ids_of_raw_products_are_skipped(tmp_path: Path) -> None:
    extra = [
        {**RAW[0], "asin": "B0000000012345"},
        {**RAW[0], "asin": "nan"},
        {**RAW[0], "name": "again"},
        {**RAW[1], "asin": "B000000003"},
    ]
    shop = converted(tmp_path, [*RAW, *extra])
    assert [shop.product(i).asin[-1] for i in range(len(shop))] == ["1", "2", "3"]
    assert shop.product(0).title == "Harbor Cotton Shirt"


def test_one_store_holds_synthetic_and_human_goals(tmp_path: Path) -> None:
    store = str(converted(tmp_path).folder)
    synthetic = gigym.make("WebShop-v0", products=store, split="test")
    human = gigym.make("WebShop-v0", products=store, human_goals=True, split="test")
    assert synthetic.num_tasks == 4 and human.num_tasks == 1
    observation, info = human.reset(seed=0)
    assert "i need a lamp, and price lower than" in observation
    assert info["task_id"] == "B000000002/1"


@pytest.mark.parametrize("pack", [".xz", ".gz"])
def test_packed_files_are_read(tmp_path: Path, pack: str) -> None:
    content = json.dumps(RAW).encode()
    path = tmp_path / f"products.json{pack}"
    path.write_bytes(lzma.compress(content) if pack == ".xz" else gzip.compress(content))
    about = written(tmp_path, about=ABOUT)["about"]
    assert convert(path, about, None, tmp_path / "store").products == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it ends too early; expected a list of products"),
        (b"<html>quota</html>", "expected '\\[', got '<'"),
        (b'{"a": 1}', "expected a list of products"),
        (b'[{"asin": ', "not whole JSON"),
        (b'[{"asin": "B1"}', "number 0, 'name'"),
        (b"[1, 2]", "number 0"),
        (b"[]", "nothing to sell"),
        (b'[{"asin": "\xff\xfe"}]', "not whole JSON"),
        (b"[" * 100_000, "not whole JSON"),
        (b'[{"a":' * 100_000, "not whole JSON"),
        (b"[] []", "follows its end"),
        (b"[NaN]", "NaN is no number"),
        (b'[{"asin": 5}]', "'asin'"),
    ],
)
def test_a_file_that_is_not_one_of_products_is_told(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "products.json"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=told) as caught:
        convert(path, None, None, tmp_path / "store")
    assert str(path) in str(caught.value) or "nothing to sell" in told
    assert [left.name for left in tmp_path.iterdir()] == ["products.json"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": 1 "b": 2}', "expected ',', got '\"'"),
        (b'{"a": 1,}', "not whole JSON"),
        (b'{"a" 1}', "expected ':', got '1'"),
        (b"{1: 2}", "expected a name, got 1"),
        (b'{"a": 1', "it ends too early"),
        (b'{"a": 1}}', "follows its end"),
        (b"[1, 2]", "expected '{', got '\\['"),
    ],
)
def test_values_of_a_large_object_are_told_apart(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "about.json"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=told):
        list(pairs(path))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@example(values=[1e20, -1.5e-7, 12345, 0.25, True, None, "1e5"], indent=None)
@given(values=st.lists(VALUES, max_size=6), indent=st.none() | st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_any_list_is_read_as_json_reads_it_however_small_the_window(
    values: list[object], indent: int | None
) -> None:
    with tempfile.TemporaryDirectory() as room, pytest.MonkeyPatch.context() as patch:
        path = Path(room) / "values.json"
        path.write_text(json.dumps(values, indent=indent))
        for size in (1, 3, 1_000):
            patch.setattr("gigym.envs.webshop.streaming._READ", size)
            assert list(elements(path)) == values


def test_a_value_beyond_measure_is_refused_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gigym.envs.webshop.streaming.LARGEST_VALUE", 1_000)
    path = tmp_path / "values.json"
    path.write_text(json.dumps(["x" * 2_000_000]))
    with pytest.raises(CatalogueError, match="broken, or a value of more than 1000 characters"):
        list(elements(path))


def test_truncated_packed_and_missing_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "products.json.xz"
    path.write_bytes(lzma.compress(json.dumps(RAW).encode())[:-20])
    with pytest.raises(CatalogueError, match="cannot be unpacked"):
        convert(path, None, None, tmp_path / "store")
    with pytest.raises(CatalogueError, match="No such file"):
        convert(tmp_path / "none.json", None, None, tmp_path / "store")
    paths = written(tmp_path, products=RAW)
    for wrong in ([], {"B1": {"attributes": 3}}, {"B1": []}):
        about = written(tmp_path, about=wrong)["about"]
        with pytest.raises(CatalogueError, match=r"about\.json"):
            convert(paths["products"], about, None, tmp_path / "store")


def test_products_without_any_instruction_make_no_store(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="2 products, 0 goals"):
        convert(written(tmp_path, products=RAW)["products"], None, None, tmp_path / "store")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    shop = converted(tmp_path)
    with pytest.raises(BadOption, match="exists"):
        convert(tmp_path / "products.json", None, None, shop.folder)
    assert open_store(shop.folder) is shop


def test_a_wish_with_too_many_choices_is_left_out_and_counted(tmp_path: Path) -> None:
    values = [{"value": f"v{number}"} for number in range(400)]
    rows = [*RAW, {**RAW[0], "asin": "B9", "customization_options": {"a": values, "b": values}}]
    about = {**ABOUT, "B9": ABOUT["B000000001"]}
    paths = written(tmp_path, products=rows, about=about)
    label = convert(paths["products"], paths["about"], None, tmp_path / "store")
    assert (label.products, label.left_out, label.goals["synthetic"]) == (3, 1, 4)


def test_the_real_files_give_the_same_shop_from_a_store_as_in_memory(
    shop_data: Path, tmp_path: Path
) -> None:
    files = (shop_data / "products_1000.json.xz", shop_data / "items_ins_v2_1000.json")
    label = convert(*files, None, tmp_path / "store")
    assert label.goals["synthetic"] == 6_910
    held = open_catalogue(Origin(files=(str(files[0]), str(files[1]), "")))
    stored = open_store(tmp_path / "store")
    assert all(stored.product(i) == held.product(i) for i in range(1_000))
    assert all(stored.price(i) == held.price(i) for i in range(1_000))
    for index in range(0, 6_910, 31):
        goal = held.goals[index]
        assert stored.goals[index] == goal and stored.goals.index_of(goal.id) == index
        assert stored.search(goal.text) == held.search(goal.text)
    for split in ("train", "dev", "test"):
        assert stored.goals.split(split) == held.goals.split(split)
