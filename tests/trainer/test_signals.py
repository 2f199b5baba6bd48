import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from gigym.trainer.signals import StopWish


def test_a_signal_cancels_the_rollout_under_way() -> None:
    with StopWish() as wish, asyncio.Runner() as runner:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(asyncio.CancelledError):
            wish.run(runner, asyncio.sleep(30))
        assert wish.signal == signal.SIGINT


def test_a_signal_between_steps_stops_the_next_rollout() -> None:
    with StopWish() as wish, asyncio.Runner() as runner:
        os.kill(os.getpid(), signal.SIGTERM)
        assert wish.asked
        with pytest.raises(asyncio.CancelledError):
            wish.run(runner, asyncio.sleep(30))


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopWish():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_the_second_signal_ends_the_process_at_once() -> None:
    program = (
        "import os, signal, time\n"
        "from gigym.trainer.signals import StopWish\n"
        "with StopWish():\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(30)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=25, check=False)
    assert ended.returncode == 128 + signal.SIGINT
