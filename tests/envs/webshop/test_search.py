"""The ranking: the parameters of Lucene, stable ties, nothing that has no word of the query."""

import math
import time

import pytest
from small_shop import LAMP, SHIRT

from gigym.envs.webshop import Instruction, Product
from gigym.envs.webshop.search import MAX_TERMS, Analyzer, Ranker, document

TEXTS = ("red shoe", "red red hat", "blue shoe box", "green", "")
WORDS: list[list[str]] = [[*text.split()] for text in TEXTS]


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return Ranker.build(TEXTS)


@pytest.fixture(scope="session")
def real_ranker(real_products: tuple[Product, ...]) -> Ranker:
    return Ranker.build(map(document, real_products))


def bm25(query: list[str], words: list[list[str]]) -> list[float]:
    """The formula as Lucene documents it, k1 = 0.9 and b = 0.4."""
    mean = sum(map(len, words)) / len(words)
    scores = [0.0] * len(words)
    for term in query:
        holding = sum(term in document for document in words)
        idf = math.log(1 + (len(words) - holding + 0.5) / (holding + 0.5))
        for number, text in enumerate(words):
            count = text.count(term)
            norm = 0.9 * (1 - 0.4 + 0.4 * len(text) / mean)
            scores[number] += idf * count / (count + norm)
    return scores


@pytest.mark.parametrize("query", ["red shoe", "shoe shoe red", "hat box red", "box", "green blue"])
def test_the_ranking_is_that_of_the_formula(ranker: Ranker, query: str) -> None:
    scores = bm25(query.split(), WORDS)
    found = [number for number, score in enumerate(scores) if score > 0]
    assert list(ranker.top(query)) == sorted(found, key=lambda n: (-scores[n], n))


def test_equal_scores_stay_in_the_order_of_the_documents() -> None:
    ranker = Ranker.build([f"same words {'tail' * (n % 7 == 3)}".strip() for n in range(200)])
    assert ranker.top("same")[:50] == tuple(n for n in range(200) if n % 7 != 3)[:50]
    assert ranker.top("same", 3) == (0, 1, 2)
    assert ranker.top("tail")[:3] == (3, 10, 17)


@pytest.mark.parametrize("query", ["", " ", "the of and", "unknown", "!?", "\ud800"])
def test_a_query_without_a_known_word_finds_nothing(ranker: Ranker, query: str) -> None:
    assert ranker.top(query) == ()


def test_words_are_split_and_stemmed_like_english_text_in_lucene() -> None:
    stems = Analyzer().stems
    assert stems("The Women's running-shoes (size 9.5), 1,000 pcs.") == (
        ["women", "run", "shoe", "size", "9.5", "1,000", "pc"]
    )
    assert stems("women\u2019s") == ["women"]
    assert stems("caf\u00e9 \u2603 o'neil u.s.a end.") == ["caf\u00e9", "o'neil", "u.s.a", "end"]


def test_a_query_counts_up_to_the_clauses_that_lucene_takes(ranker: Ranker) -> None:
    assert ranker.top("red " * MAX_TERMS + "green") == ranker.top("red")
    started = time.process_time()
    assert ranker.top("red " * 250_000) == ranker.top("red")
    assert time.process_time() - started < 5


def test_the_searched_text_holds_title_description_first_bullet_and_options() -> None:
    assert document(SHIRT) == (
        "harbor mens cotton shirt short sleeve a shirt for the harbor. machine wash "
        "size: small, x-large, and color: black, light blue, small"
    )
    assert document(LAMP).startswith("desk lamp brass  easy install buy now: description")


def test_a_title_finds_its_own_product(
    real_ranker: Ranker, real_products: tuple[Product, ...]
) -> None:
    found = [real_ranker.top(product.title, 10) for product in real_products]
    first = sum(top[:1] == (number,) for number, top in enumerate(found))
    assert first >= 990
    assert sum(number in top for number, top in enumerate(found)) >= 995


def test_an_instruction_finds_its_product_mostly(
    real_ranker: Ranker,
    real_products: tuple[Product, ...],
    real_wishes: dict[str, Instruction],
) -> None:
    wished = [
        (n, real_wishes[p.asin]) for n, p in enumerate(real_products) if p.asin in real_wishes
    ]
    found = [(number, real_ranker.top(wish.text)) for number, wish in wished]
    assert len(found) == 415
    assert sum(number in top[:10] for number, top in found) / 415 > 0.75
    assert sum(number in top for number, top in found) / 415 > 0.92


def test_a_search_takes_less_than_five_milliseconds(
    real_ranker: Ranker, real_products: tuple[Product, ...]
) -> None:
    titles = [product.title for product in real_products[:200]]
    started = time.process_time()
    for title in titles:
        real_ranker.top(title)
    assert (time.process_time() - started) / len(titles) < 0.005
