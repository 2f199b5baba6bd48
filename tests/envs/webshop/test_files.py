"""Files of products and instructions: what is read, and how a fault is told."""

import gzip
import json
import lzma
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gigym
from gigym.envs.errors import BadOption, GameFileError
from gigym.envs.webshop import CatalogueError, Product, Shelf, WebShopEnv
from gigym.envs.webshop.files import ShopFile, read_human, read_synthetic
from gigym.envs.webshop.sources import Origin, open_catalogue
from gigym.envs.webshop.streaming import elements

SHOP_ROW: dict[str, Any] = {
    "asin": "B000000001",
    "Title": "A Shirt",
    "Description": "soft",
    "BulletPoints": ["wash warm "],
    "Price": "$5.0",
    "pricing": [5.0],
    "category": "fashion",
    "query": "shirts",
    "product_category": "Clothing \u203a Shirts",
    "options": {"Size": ["Large"]},
    "Attributes": ["machine wash"],
    "images": ["skipped"],
}
RAW_ROW: dict[str, Any] = {
    "asin": "B000000001",
    "name": "A Shirt",
    "full_description": "soft",
    "small_description": "wash warm",
    "pricing": "$1,005.50 - $1,200",
    "category": "fashion",
    "query": " Shirts ",
    "product_category": "Clothing \u203a Shirts",
    "customization_options": {"Size": [{"value": " L/XL ", "image": None}], "Fit": None},
}
WISHES: dict[str, Any] = {
    "B000000001": {
        "attributes": ["machine wash", "soft"],
        "instruction": "Find me a shirt",
        "instruction_attributes": ["machine wash"],
    },
    "B000000009": {"attributes": []},
}
HUMAN: dict[str, Any] = {
    "B000000001": [
        {
            "instruction": "a large shirt.",
            "instruction_attributes": ["machine wash"],
            "instruction_options": ["large"],
        }
    ]
}

Write = Callable[[str, object], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a value as JSON, or bytes as they are."""

    def written(name: str, value: object) -> Path:
        path = tmp_path / name
        path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
        return path

    return written


def test_processed_products_are_read_as_they_are(write: Write) -> None:
    (product,) = ShopFile(write("p.json", [SHOP_ROW])).products({})
    assert product == Product(
        asin="B000000001",
        title="A Shirt",
        description="soft",
        bullets=("wash warm ",),
        price_text="$5.0",
        prices=(5.0,),
        category="fashion",
        query="shirts",
        product_category="Clothing \u203a Shirts",
        options=(("size", ("large",)),),
        attributes=("machine wash",),
    )


def test_raw_products_are_processed_as_the_original_does(write: Write) -> None:
    about = read_synthetic(write("i.json", WISHES))
    (product,) = ShopFile(write("p.json", [RAW_ROW])).products(about)
    assert (product.price_text, product.prices) == ("$1005.5 to $1200.0", (1005.5, 1200.0))
    assert product.options == (("size", ("l | xl",)),)
    assert (product.query, product.bullets) == ("shirts", ("wash warm",))
    assert product.attributes == ("machine wash", "soft")
    without = {**RAW_ROW, "asin": "B000000002", "pricing": "", "customization_options": ""}
    (plain,) = ShopFile(write("p.json", [without])).products(about)
    assert (plain.price_text, plain.prices, plain.options) == ("$100.0", (100.0,), ())
    assert plain.attributes == ("DUMMY_ATTR",)


def test_raw_products_may_lack_options_and_categories(write: Write) -> None:
    rows = [{**RAW_ROW, "product_category": None, "customization_options": []}]
    (product,) = ShopFile(write("p.json", rows)).products({})
    assert (product.product_category, product.options) == ("", ())


def test_raw_ids_that_are_long_or_come_twice_are_left_out(write: Write) -> None:
    rows = [
        {**RAW_ROW, "name": "first"},
        {**RAW_ROW, "name": "again"},
        {**RAW_ROW, "asin": "B0000000012"},
        {**RAW_ROW, "asin": "nan"},
    ]
    products = ShopFile(write("p.json", rows)).products({})
    assert [product.title for product in products] == ["first"]


@pytest.mark.parametrize(("ending", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_packed_files_are_unpacked(
    write: Write, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(json.dumps([SHOP_ROW]).encode())
    assert len(ShopFile(write(f"p.json{ending}", whole)).rows) == 1
    for broken in (whole[:-9], b"not packed"):
        with pytest.raises(CatalogueError, match=rf"q\.json\{ending}: .*"):
            ShopFile(write(f"q.json{ending}", broken))


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in SHOP_ROW.items() if key != field}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps([SHOP_ROW])[:-30].encode(), "not whole JSON, EOF while parsing"),
        (b"", "not whole JSON"),
        (b"\xff\xfe", "not whole JSON"),
        (b"[" * 100_000, "not whole JSON, recursion limit"),
        (b'[{"Title": "\\ud800"}]', "not whole JSON"),
        (b"[NaN]", "not whole JSON"),
        ({"B1": SHOP_ROW}, "the whole file: Input should be a valid list.* expected a list"),
        ([], "the list of products is empty; expected at least one"),
        ([SHOP_ROW, 7], "number 1: Input should be a valid dictionary, got 7"),
        ([without("Price")], "number 0, 'Price': Field required"),
        ([without("Title")], "number 0, 'name': Field required"),
        ([{**SHOP_ROW, "asin": 5}], "number 0, 'asin': Input should be a valid string, got 5"),
        ([{**SHOP_ROW, "asin": ""}], "number 0, 'asin': String should have at least 1"),
        ([{**SHOP_ROW, "pricing": ["5"]}], "'pricing', number 0: Input should be a valid number"),
        ([{**SHOP_ROW, "options": {"size": "l"}}], "'options', 'size': .* list, got 'l'"),
        ([SHOP_ROW, SHOP_ROW], "products number 0 and 1 have the same asin 'B000000001'"),
    ],
)
def test_a_fault_among_products_is_told_with_its_place(
    write: Write, content: object, told: str
) -> None:
    path = write("faulty.json", content)
    with pytest.raises(CatalogueError, match=told) as caught:
        gigym.make("WebShop-v0", products=str(path))
    assert str(path) in str(caught.value) and "expected" in str(caught.value)
    assert isinstance(caught.value, GameFileError) and caught.value.exit_code == 5
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([1], "the whole file: Input should be a valid dictionary.*expected an object of product"),
        ({"B1": {"attributes": [1]}}, "'B1', 'attributes', number 0: Input should be a valid str"),
        ({"B1": {"instruction": 3}}, "'B1', 'instruction': Input should be a valid string, got 3"),
        (HUMAN, "'B000000001': Input should be a valid dictionary"),
    ],
)
def test_a_fault_among_instructions_is_told_with_its_place(
    write: Write, content: object, told: str
) -> None:
    products, faulty = write("p.json", [SHOP_ROW]), write("faulty.json", content)
    with pytest.raises(CatalogueError, match=told) as caught:
        WebShopEnv(products=products, instructions=faulty)
    assert str(faulty) in str(caught.value)


@pytest.mark.parametrize("name", ["products", "instructions", "human_instructions"])
def test_a_file_that_is_not_there_is_told(write: Write, name: str) -> None:
    files = {"products": str(write("p.json", [SHOP_ROW])), name: "/nowhere/at-all.json"}
    with pytest.raises(CatalogueError, match=r"/nowhere/at-all\.json: No such file or directory"):
        gigym.make("WebShop-v0", human_goals=name == "human_instructions", **files)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path, write: Write) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    for products, instructions in ((pipe, ""), (write("p.json", [SHOP_ROW]), pipe)):
        with pytest.raises(CatalogueError, match=f"{pipe}: not a file; expected a JSON file"):
            WebShopEnv(products=products, instructions=instructions)
    with pytest.raises(CatalogueError, match="not a file"):
        list(elements(pipe))


def test_human_instructions_make_human_goals(write: Write) -> None:
    rows = read_human(write("h.json", HUMAN))
    assert rows["B000000001"][0].options == ("large",)
    with pytest.raises(CatalogueError, match="'instruction_attributes': Field required"):
        read_human(write("g.json", {"B1": [{"instruction": "x"}]}))
    env = WebShopEnv(
        products=write("p.json", [SHOP_ROW]),
        human_instructions=write("h.json", HUMAN),
        human_goals=True,
        split="test",
    )
    observation, _ = env.reset(seed=0)
    assert "a large shirt, and price lower than" in observation


def test_products_may_hold_their_own_instructions(write: Write) -> None:
    row = {
        **SHOP_ROW,
        "instructions": HUMAN["B000000001"],
        "instruction_text": "Find me a shirt",
        "instruction_attributes": ["machine wash"],
    }
    path = write("p.json", [row])
    for human, wish in ((True, "a large shirt, and"), (False, "Find me a shirt with size: large")):
        env = WebShopEnv(products=path, human_goals=human, split="test")
        assert wish in env.reset(seed=0)[0]


def test_products_without_any_instruction_are_refused(write: Write) -> None:
    path, other = write("p.json", [SHOP_ROW]), write("i.json", {"B1": {"attributes": []}})
    with pytest.raises(CatalogueError, match=r"it has no instructions .* the option instructions"):
        WebShopEnv(products=path)
    with pytest.raises(CatalogueError, match=rf"neither it nor {other} has instructions"):
        WebShopEnv(products=path, instructions=other)


def test_files_that_belong_to_products_are_refused_without_them(write: Write) -> None:
    with pytest.raises(BadOption, match="give it with the option products"):
        WebShopEnv(instructions=write("i.json", WISHES))
    with pytest.raises(BadOption, match="human_instructions needs human_goals=True"):
        WebShopEnv(products=write("p.json", [SHOP_ROW]), human_instructions=write("h.json", HUMAN))


def test_one_catalogue_is_shared_until_its_file_changes(write: Write) -> None:
    files = (str(write("p.json", [SHOP_ROW])), str(write("i.json", WISHES)), "")
    first = open_catalogue(Origin(files=files))
    assert isinstance(first, Shelf) and open_catalogue(Origin(files=files)) is first
    write("p.json", [{**SHOP_ROW, "Title": "Another Shirt"}])
    assert open_catalogue(Origin(files=files)).product(0).title == "Another Shirt"
