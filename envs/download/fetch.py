"""A file over HTTP: resumed, tried again, looked for at several places, verified, then named.

Bytes go to `NAME.part` and stay there whatever happens; the next call goes on where this one
ended. The name appears when size and hash are right. A wrong hash is never kept.
"""

import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import CannotStore, DataDamaged, DownloadFailed
from .folder import need_room, sha256_of
from .link import Ask, Piece, Setback, opened
from .part import Part
from .types import MIB, Patience, RemoteFile, Watcher

_SNIFFED = 1 << 12
"""Bytes that are looked at when a file does not begin as it should."""
_BLANK = b" \t\r\n\xef\xbb\xbf"
"""Blanks and the mark of UTF-8, which may stand before JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One file on its way."""

    file: RemoteFile
    target: Path
    part: Part
    patience: Patience
    watcher: Watcher
    ends_at: float
    """On the monotonic clock."""

    @property
    def seconds_left(self) -> float:
        """Until the deadline; negative when it is over."""
        return self.ends_at - time.monotonic()


def fetch(file: RemoteFile, folder: Path, patience: Patience, watcher: Watcher) -> Path:
    """The file in the folder, whole and verified; a file with the known hash is not fetched again.

    Raises `DownloadFailed` when no source gave it, `DataDamaged` when what came is not the file,
    `CannotStore` when the disk cannot take it.
    """
    target = folder / file.name
    if file.sha256 and target.is_file() and _fault(file, target) is None:
        return target
    job = _Job(
        file=file,
        target=target,
        part=Part(target),
        patience=patience,
        watcher=watcher,
        ends_at=time.monotonic() + patience.whole_s,
    )
    need_room(folder, max(0, (file.size or 0) - job.part.size))
    try:
        _from_any(job)
    except OSError as error:
        if isinstance(error, DownloadFailed | CannotStore):
            raise
        raise CannotStore(f"{target}: {error.strerror}; the part that came is kept") from None
    return target


def _from_any(job: _Job) -> None:
    setbacks: list[Setback] = []
    for url in job.file.urls:
        try:
            return _from_source(job, url)
        except Setback as setback:
            setbacks.append(setback)
        if job.seconds_left <= 0:
            break
        job.watcher.note(f"{url}: {setbacks[-1]}")
    tried = "; ".join(f"{url}: {s}" for url, s in zip(job.file.urls, setbacks, strict=False))
    kept = f"; the {job.part.size} bytes that came are kept, call again to go on"
    told = f"{job.file.name} could not be fetched: {tried}{kept if job.part.size else ''}"
    if all(setback.damaged for setback in setbacks):
        raise DataDamaged(told)
    raise DownloadFailed(told)


def _from_source(job: _Job, url: str) -> None:
    """Try one source until the file is here. Raises `Setback` when it is given up."""
    jitter = random.Random(f"{os.getpid()} {url}")
    failures = restarts = 0
    while True:
        before = job.part.size
        try:
            _try_once(job, url)
            return _accept(job, resumed=before > 0)
        except Setback as setback:
            failures = 0 if job.part.size - before >= MIB else failures + 1
            wait = setback.wait_s or _backoff(job.patience, failures) * jitter.uniform(0.5, 1.0)
            restarts += setback.damaged
            hopeless = not setback.again or failures >= job.patience.attempts or restarts > 1
            if hopeless or wait > job.patience.backoff_max_s or wait >= job.seconds_left:
                raise
            if setback.damaged:
                job.part.drop()
            job.watcher.note(f"{url}: {setback}; again in {wait:.1f} s")
            time.sleep(wait)


def _backoff(patience: Patience, failures: int) -> float:
    return min(patience.backoff_max_s, patience.backoff_s * 2**failures)


def _try_once(job: _Job, url: str) -> None:
    """One request, written as it comes."""
    validator = job.part.validator(url)
    # bytes of another server, or of no known content, are built upon only if a hash will judge
    have = job.part.size if validator or job.file.sha256 else 0
    if have and job.file.size is not None and have >= job.file.size:
        return
    ask = Ask(url=url, have=have, validator=validator, seconds=job.seconds_left)
    with opened(ask, job.patience) as piece:
        if piece.start and "" != piece.validator != validator != "":
            raise Setback("its file has changed meanwhile", again=True, damaged=True)
        # before its size is judged: a page has another one, and says more
        chunks = _sniffed(job.file, piece)
        total = _expected_size(job.file, piece)
        need_room(job.target.parent, (total or 0) - piece.start)
        job.part.came_from(url, piece.validator or validator)
        job.watcher.start(job.file.name, piece.start, total)
        size = _write(job, chunks, piece.start, total)
    if total is not None and size < total:
        raise Setback(f"it ended after {size} of {total} bytes", again=True)


def _write(job: _Job, chunks: Iterator[bytes], start: int, total: int | None) -> int:
    size, limit = start, job.file.limit if total is None else total
    with job.part.at(start) as stream:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise Setback(f"it sends more than {limit} bytes", again=False, damaged=True)
            stream.write(chunk)
            job.watcher.advance(len(chunk))
    return size


def _expected_size(file: RemoteFile, piece: Piece) -> int | None:
    if file.size is not None and piece.total not in (None, file.size):
        raise Setback(
            f"its file has {piece.total} bytes, expected {file.size}", again=False, damaged=True
        )
    if piece.total is not None and file.size is None and piece.total > file.limit:
        raise Setback(
            f"its file has {piece.total} bytes, more than {file.limit} are refused", again=False
        )
    return file.size if piece.total is None else piece.total


def _sniffed(file: RemoteFile, piece: Piece) -> Iterator[bytes]:
    """The chunks, once their beginning was seen to be that of such a file."""
    if piece.start:
        return piece.chunks
    longest = max(map(len, file.begins))
    head = _head(b"", piece.chunks, longest)
    if not head.lstrip(_BLANK).startswith(file.begins):
        head = _head(head, piece.chunks, _SNIFFED)
        raise Setback(_what_came(head), again=not head, damaged=bool(head))
    return _after(head, piece.chunks)


def _head(head: bytes, chunks: Iterator[bytes], wanted: int) -> bytes:
    """The head with as many chunks as it takes to have the bytes that are wanted."""
    while len(head.lstrip(_BLANK)) < wanted and len(head) < _SNIFFED:
        chunk = next(chunks, None)
        if chunk is None:
            break
        head += chunk
    return head


def _after(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _what_came(head: bytes) -> str:
    """Tells a page that a server sends in place of a file from other things."""
    if not head:
        return "it sent nothing"
    text = head.decode("utf-8", "replace")
    if not re.match(r"\s*<(!doctype|html|head|\?xml|!--)", text.lstrip("\ufeff"), re.IGNORECASE):
        return f"it sent something else: it begins with {head[:16]!r}"
    found = re.search(r"<title[^>]*>([^<]{1,80})", text, re.IGNORECASE)
    title = f" titled {' '.join(found[1].split())!r}" if found else ""
    return (
        f"it sent a web page{title} in place of the file; such pages ask for a sign-in or say "
        "that a quota is used up: try later, or name another source with --from"
    )


def _accept(job: _Job, *, resumed: bool) -> None:
    fault = _fault(job.file, job.part.path)
    if fault is None:
        job.part.finish()
        return
    job.part.drop()
    # the fault may lie in bytes of an earlier run; then the file is fetched once from its start
    raise Setback(fault, again=resumed, damaged=True)


def _fault(file: RemoteFile, path: Path) -> str | None:
    """Why this is not the file; None if it is."""
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"its file has {size} bytes, expected {file.size}"
    if file.sha256 and (got := sha256_of(path)) != file.sha256:
        return f"its file has the sha256 {got}, expected {file.sha256}"
    return None
