"""The check of the checks: each defect below, put into a copy of the tree, must fail a test.

Run by hand: `python tests/helpers/seeded_defects.py [WORD...]`, words pick defects by name. Prints
a line for each and the score, and exits with 1 unless all were caught.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHAOS = "tests/servers/chaos"
LONGEST_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    name: str
    file: str
    sound: str
    """Stands in the file exactly once."""
    broken: str
    tests: tuple[str, ...]
    """What is to catch it, as arguments for pytest."""


def swap(name: str, file: str, sound: str, broken: str, *tests: str) -> Defect:
    return Defect(name=name, file=file, sound=sound, broken=broken, tests=tests)


DEFECTS = (
    swap(
        "a repeated step is executed again",
        "servers/sessions.py",
        "            return self._again(last)\n",
        "            return played(self.sid, self.ep, self._act(episode, item.action))\n",
        f"{CHAOS}/test_lossy_ways.py",
    ),
    swap(
        "another action at a taken step is not told apart",
        "servers/sessions.py",
        "            if item.action != episode.last_action:\n",
        "            if False:\n",
        f"{CHAOS}/test_nasties.py",
        "-kcalls",
    ),
    swap(
        "a reset that differs is answered like the first",
        "servers/sessions.py",
        "            if item != episode.opened_by:\n",
        "            if False:\n",
        f"{CHAOS}/test_nasties.py",
        "-kcalls",
    ),
    swap(
        "idempotency keys are ignored",
        "servers/admission.py",
        "        if key is None:\n            return await work()\n",
        "        if True:\n            return await work()\n",
        f"{CHAOS}/test_lossy_ways.py",
        "tests/servers/test_leases.py",
    ),
    swap(
        "leases are not swept",
        "servers/store.py",
        "        over = [sid for sid, lease in self._leases.items() if lease.ends <= now]\n",
        "        over = list[str]()\n",
        f"{CHAOS}/test_leaks.py",
        "-kabandoned",
    ),
    swap(
        "the keys of a replay are not compared",
        "servers/playing.py",
        "        if want is not None and key != want:\n",
        "        if False:\n",
        "tests/servers/test_restore.py",
    ),
    swap(
        "pages of other origins pass",
        "servers/guard.py",
        'for origin in headers.getlist("origin"):',
        "for origin in list[str]():",
        f"{CHAOS}/test_hostile_bytes.py",
        "-kforeign",
    ),
    swap(
        "any host passes",
        "servers/guard.py",
        "        if len(given) == 1 and self._is_ours(given[0]):\n",
        "        if given:\n",
        f"{CHAOS}/test_hostile_bytes.py",
        "-kforeign",
    ),
    swap(
        "the beginning of a token suffices",
        "servers/guard.py",
        'if not hmac.compare_digest(given, b"Bearer " + self._spec.token.encode()):',
        'if not (b"Bearer " + self._spec.token.encode()).startswith(given):',
        f"{CHAOS}/test_hostile_bytes.py",
        "-ktoken",
    ),
    swap(
        "halves of surrogate pairs pass",
        "servers/strict_json.py",
        'if "\\\\ud" in text or "\\\\uD" in text:',
        "if False:",
        f"{CHAOS}/test_nasties.py",
        "-kbodies",
    ),
    swap(
        "numbers may be infinite",
        "servers/strict_json.py",
        '    if number in (float("inf"), float("-inf")):\n',
        "    if False:\n",
        f"{CHAOS}/test_nasties.py",
        "-kbodies",
    ),
    swap(
        "only the declared length of a body is capped",
        "servers/guard.py",
        "        if size > limit:\n",
        "        if False:\n",
        f"{CHAOS}/test_hostile_bytes.py",
        "-kchunks or megabytes",
    ),
    swap(
        "what gzip inflates to is not capped",
        "servers/guard.py",
        "    plain = inflater.decompress(body, limit + 1)\n",
        "    plain = inflater.decompress(body)[:limit]\n",
        f"{CHAOS}/test_nasties.py",
        "-krequests",
    ),
    swap(
        "a body may take for ever",
        "servers/guard.py",
        "            async with asyncio.timeout(limits.body_s):\n",
        "            async with asyncio.timeout(None):\n",
        f"{CHAOS}/test_leaks.py",
        "-khalf_open",
    ),
    swap(
        "a head may take for ever",
        "servers/connections.py",
        "                connection.transport.abort()\n",
        "                pass\n",
        f"{CHAOS}/test_leaks.py",
        "-khalf_open",
    ),
    swap(
        "a handshake without sense is never answered",
        "servers/connections.py",
        "        if self.conn.handshake_exc is not None and not self.handshake_initiated:\n",
        "        if False:\n",
        f"{CHAOS}/test_hostile_bytes.py",
        "-ktoken",
    ),
    swap(
        "rewards may be out of range",
        "servers/replies.py",
        "    if not low <= number <= high:\n",
        "    if False:\n",
        "tests/servers/test_env_faults.py",
    ),
    swap(
        "two items of one session are both played",
        "servers/batch.py",
        "        if item.sid in self._seen:\n",
        "        if False:\n",
        "tests/servers/test_protocol.py",
        "tests/servers/test_batch.py",
        f"{CHAOS}/test_generated.py",
    ),
    swap(
        "a step in a worker may take for ever",
        "servers/workers/worker.py",
        "            self._alarm = self._loop.call_at(due, self._look)\n",
        "            pass\n",
        "tests/servers/test_workers.py",
        "tests/servers/test_workers_end.py",
    ),
    swap(
        "an overdue worker is not ended",
        "servers/workers/worker.py",
        "            self._lose(call.seat, _lost())\n        channel.kill()\n",
        "            self._lose(call.seat, _lost())\n",
        "tests/servers/test_workers.py",
        "tests/servers/test_workers_end.py",
    ),
    swap(
        "sessions of a dead worker are not played again",
        "servers/workers/worker.py",
        "        for seat in self.seats:\n            seat.there = False\n",
        "",
        f"{CHAOS}/test_kills.py",
        "-kworkers",
    ),
    swap(
        "the client takes half an answer for a broken server",
        "envs/remote/attempt.py",
        '            raise NoAnswer("the answer was cut short") from None\n',
        "            pass\n",
        f"{CHAOS}/test_lossy_ways.py",
    ),
    swap(
        "the client waits for an answer for ever",
        "envs/remote/link.py",
        "            async with asyncio.timeout(wait_s):\n",
        "            async with asyncio.timeout(None):\n",
        f"{CHAOS}/test_broken_connections.py",
    ),
)


def copied(folder: Path) -> Path:
    """The tree as it is, under the name by which it is imported."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, folder / "gigym" / name
        if source.is_file() and source.suffix in (".py", ".toml", ".xz", ".json", ".typed"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return folder / "gigym"


def caught(defect: Defect, tree: Path) -> bool:
    """Whether a test fails with the defect in place. Raises `ValueError` if it does not fit."""
    file = tree / defect.file
    text = file.read_text()
    if text.count(defect.sound) != 1:
        raise ValueError(f"{defect.file} does not hold exactly once: {defect.sound!r}")
    file.write_text(text.replace(defect.sound, defect.broken))
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *defect.tests]
    environment = {**os.environ, "PYTHONPATH": str(tree.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=LONGEST_S, text=True
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(text)
    if done.returncode not in (0, 1):
        raise ValueError(f"pytest ended with {done.returncode}: {done.stdout[-500:]}")
    return done.returncode == 1


def main(words: list[str]) -> int:
    wanted = [d for d in DEFECTS if not words or any(word in d.name for word in words)]
    score = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        for defect in wanted:
            try:
                found = caught(defect, tree)
            except ValueError as error:
                print(f"  ?     {defect.name}: {error}", flush=True)
                continue
            score += found
            print(f"{'caught' if found else 'MISSED'}  {defect.name}", flush=True)
    print(f"{score} of {len(wanted)}")
    return int(score < len(wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
