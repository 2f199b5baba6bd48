"""Full-text search: BM25 by bm25s, over Porter stems, with the parameters of WebShop's Lucene.

The only file that knows bm25s and PyStemmer. A `Ranker` is read-only once built or opened; the
module postings writes the folder that processes map into memory.
"""

import importlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import need
from .types import Product

RESULTS = 50
"""Most products that a search returns."""
MAX_TERMS = 1_024
"""Words of a query that count; Lucene takes no longer ones."""
K1, B = 0.9, 0.4
"""Parameters of BM25."""
_TOKEN = re.compile(r"\w+(?:(?<=[^\W\d_])['\u2019.](?=[^\W\d_])\w+|(?<=\d)[.,'](?=\d)\w+)*")
"""Words by the rules of Unicode's annex 29, so far as shop texts need them."""
_POSSESSIVE = ("'s", "\u2019s")
_LUCENE_STOP_WORDS = """
a an and are as at be but by for if in into is it no not of on or such that the their then there
these they this to was will with
"""
_STOP_WORDS = frozenset(_LUCENE_STOP_WORDS.split())
_REMEMBERED = 100_000
"""Words whose stems are kept; texts from outside must not fill the memory."""


def document(product: Product) -> str:
    """What of a product is searched: title, description, first bullet, options."""
    groups = (f"{name}: {', '.join(values)}" for name, values in product.options)
    first = product.bullets[0] if product.bullets else ""
    text = f"{product.title} {product.description} {first} {', and '.join(groups)}"
    return text.lower()


class Analyzer:
    """From text to stems: words, without possessive endings and stop words, Porter-stemmed."""

    def __init__(self) -> None:
        need("Stemmer", "webshop")
        stemmer = importlib.import_module("Stemmer").Stemmer("porter", 0)
        self._stem = cast("Callable[[str], str]", stemmer.stemWord)
        self._known: dict[str, str] = {}
        # a stemmer keeps its word in itself, and threads share a shop
        self._lock = threading.Lock()

    def stems(self, text: str) -> list[str]:
        """The stems of a text, in order, with repeats."""
        words = (_bare(word) for word in _TOKEN.findall(text.lower()))
        return [self._stemmed(word) for word in words if word not in _STOP_WORDS]

    def _stemmed(self, word: str) -> str:
        known = self._known.get(word)
        return self._learn(word) if known is None else known

    def _learn(self, word: str) -> str:
        with self._lock:
            stem = self._stem(word)
        if len(self._known) < _REMEMBERED:
            self._known[word] = stem
        return stem


class _Index(Protocol):
    """What is used of `bm25s.BM25`."""

    def index(
        self, corpus: tuple[Sequence[Sequence[int]], dict[str, int]], *, show_progress: bool
    ) -> None: ...

    def get_tokens_ids(self, query_tokens: list[str]) -> list[int]: ...

    def get_scores_from_ids(self, query_tokens_ids: list[int]) -> NDArray[np.float32]: ...


class Ranker:
    """A BM25 index of documents numbered from 0."""

    def __init__(self, index: _Index) -> None:
        self._index = index
        self._analyzer = Analyzer()

    @classmethod
    def build(cls, texts: Iterable[str]) -> "Ranker":
        """Index documents in order; needs a second per thousand or two."""
        analyzer = Analyzer()
        vocabulary: dict[str, int] = {}
        rows = [
            [vocabulary.setdefault(stem, len(vocabulary)) for stem in analyzer.stems(text)]
            for text in texts
        ]
        # bm25s cannot index documents that hold no word at all
        vocabulary.setdefault("", len(vocabulary))
        index = cast("_Index", _bm25s().BM25(method="lucene", k1=K1, b=B))
        index.index((rows, vocabulary), show_progress=False)
        return cls(index)

    @classmethod
    def load(cls, folder: Path, vocabulary: Mapping[str, int]) -> "Ranker":
        """Map the arrays of a folder into memory, where all processes share them.

        The vocabulary may be looked up wherever it is kept.
        """
        index = _bm25s().BM25.load(folder, mmap=True, load_vocab=False, show_progress=False)
        index.vocab_dict = vocabulary
        return cls(index)

    def top(self, query: str, count: int = RESULTS) -> tuple[int, ...]:
        """The best documents for a query, equal scores in document order; none that has no word.

        Repeated words of the query count as often as they stand there.
        """
        stems = self._analyzer.stems(query)[:MAX_TERMS]
        words = self._index.get_tokens_ids(stems)
        if not words:
            return ()
        return tuple(_best(self._index.get_scores_from_ids(words), count).tolist())


def _best(scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Indices of the highest positive scores; a stable sort keeps ties in index order."""
    found = np.flatnonzero(scores > 0)
    if len(found) > count:
        least = np.partition(scores[found], len(found) - count)[len(found) - count]
        found = found[scores[found] >= least]
    return found[np.argsort(-scores[found], kind="stable")][:count]


def _bare(word: str) -> str:
    return word[:-2] if word.endswith(_POSSESSIVE) else word


def _bm25s() -> ModuleType:
    need("bm25s", "webshop")
    return importlib.import_module("bm25s")
