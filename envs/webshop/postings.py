"""Writes a BM25 index of any number of documents as arrays, without holding them in memory.

bm25s itself builds in memory, some ten gigabytes for a million products. Here documents are
counted as they come, their counts wait in a file, and a second pass sorts them into the arrays
that bm25s maps: the same numbers, bit for bit, that it would compute (the tests compare them).
The score of a word in a document is the one of Lucene 8, as told in the module search.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .search import K1, Analyzer, B

ARRAYS = ("data.csc.index.npy", "indices.csc.index.npy", "indptr.csc.index.npy")
PARAMETERS = "params.index.json"
_CHUNK = 1_000_000
"""Counts that are held in memory, in both passes."""
_COUNTS = "counts.tmp"

Ints = NDArray[np.int64]


class Postings:
    """Counts words of documents that are added in order; `finish` writes the index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counts = (folder / _COUNTS).open("w+b")
        self._analyzer = Analyzer()
        self.vocabulary: dict[str, int] = {}
        """Stem -> column."""
        self._words, self._times = array("i"), array("i")
        self._lengths, self._distinct = array("i"), array("i")
        self._found = array("q")
        """Documents that hold the word of each column."""
        self._chunks: list[tuple[int, int]] = []
        """For each chunk in the file: its first document, its number of counts."""
        self._first = 0

    def add(self, text: str) -> None:
        """Count the next document."""
        known = self.vocabulary
        columns = [known.setdefault(s, len(known)) for s in self._analyzer.stems(text)]
        counts = Counter(columns)
        self._found.extend([0] * (len(known) - len(self._found)))
        for column in counts:
            self._found[column] += 1
        self._words.extend(counts.keys())
        self._times.extend(counts.values())
        self._lengths.append(len(columns))
        self._distinct.append(len(counts))
        if len(self._words) >= _CHUNK:
            self._flush()

    def finish(self) -> None:
        """Write the arrays and parameters that bm25s opens; the counts are gone then."""
        self._flush()
        found = np.asarray(self._found, np.int64)
        bounds = np.zeros(len(found) + 1, np.int64)
        np.cumsum(found, out=bounds[1:])
        np.save(self._folder / ARRAYS[2], bounds)
        self._sort(found, bounds)
        self.close()
        (self._folder / _COUNTS).unlink()
        parameters = {"k1": K1, "b": B, "method": "lucene", "num_docs": len(self._lengths)}
        (self._folder / PARAMETERS).write_text(json.dumps(parameters), "ascii")

    def close(self) -> None:
        """Let go of the file of counts."""
        self._counts.close()

    def _flush(self) -> None:
        if not self._words:
            return
        self._chunks.append((self._first, len(self._words)))
        self._first = len(self._lengths)
        self._words.tofile(self._counts)
        self._times.tofile(self._counts)
        del self._words[:], self._times[:]

    def _sort(self, found: Ints, bounds: Ints) -> None:
        """Counting sort by column; documents stay in order within a column."""
        scores = _new_array(self._folder / ARRAYS[0], np.dtype(np.float32), int(bounds[-1]))
        documents = _new_array(self._folder / ARRAYS[1], np.dtype(np.int32), int(bounds[-1]))
        weights, heads = _weights(found, len(self._lengths)), bounds[:-1].copy()
        for words, times, document in self._read():
            order = np.argsort(words, kind="stable")
            columns, starts, counts = np.unique(words[order], return_index=True, return_counts=True)
            ranks = np.arange(len(order)) - np.repeat(starts, counts)
            places = np.repeat(heads[columns], counts) + ranks
            scores[places] = self._scores(words, times, document, weights)[order]
            documents[places] = document[order]
            heads[columns] += counts

    def _read(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], Ints]]:
        """Chunk by chunk: columns, counts and documents."""
        self._counts.seek(0)
        distinct = np.asarray(self._distinct, np.int32)
        ends = [first for first, _ in self._chunks[1:]] + [len(distinct)]
        for (first, count), end in zip(self._chunks, ends, strict=True):
            words = np.fromfile(self._counts, np.int32, count)
            times = np.fromfile(self._counts, np.int32, count)
            yield words, times, np.repeat(np.arange(first, end), distinct[first:end])

    def _scores(
        self,
        words: NDArray[np.int32],
        times: NDArray[np.int32],
        document: Ints,
        weights: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        lengths = np.asarray(self._lengths, np.int64)
        damping = K1 * ((1 - B) + B * lengths[document] / lengths.mean())
        return (weights[words] * (times / (damping + times))).astype(np.float32)


def _weights(found: Ints, documents: int) -> NDArray[np.float32]:
    """How much each word tells: `ln(1 + (N - df + 0.5) / (df + 0.5))`."""
    values = (math.log(1 + (documents - df + 0.5) / (df + 0.5)) for df in found.tolist())
    return np.fromiter(values, np.float32, len(found))


def _new_array(
    path: Path, kind: np.dtype[np.float32] | np.dtype[np.int32], size: int
) -> NDArray[np.float32 | np.int32]:
    """A one-dimensional array in a file; an empty one cannot be mapped."""
    if size == 0:
        np.save(path, np.zeros(0, kind))
        return np.zeros(0, kind)
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(size,))
