"""A checkpoint that `latest` names loads, whatever happened while it was written."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from gigym.agents.prompt import dialogue_for
from gigym.agents.tiny import build_tokenizer
from gigym.trainer.checkpoint import clean, find_checkpoint, load_optimizer, prune, save_checkpoint
from gigym.trainer.errors import CheckpointError
from gigym.trainer.weights import Actor


def actor_of(model: nn.Module) -> Actor:
    tokenizer = build_tokenizer(("go to", "mug 1"))
    return Actor(model=model, tokenizer=tokenizer, dialogue=dialogue_for(tokenizer))


def stepped(model: nn.Module, steps: int = 2) -> torch.optim.Optimizer:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=torch.arange(8)[None]).logits.square().mean().backward()
        optimizer.step()
    return optimizer


def test_model_and_moments_come_back_bit_for_bit(model: nn.Module, tmp_path: Path) -> None:
    optimizer = stepped(model)
    save_checkpoint(tmp_path, 3, actor_of(model), optimizer)
    found = find_checkpoint(tmp_path)
    assert found is not None
    assert found.iteration == 3
    twin = AutoModelForCausalLM.from_pretrained(found.path, dtype=torch.float32)
    again = torch.optim.AdamW(twin.parameters(), lr=1e-2)
    load_optimizer(found, again)
    for own, other in ((model, optimizer), (twin, again)):
        other.zero_grad()
        own(input_ids=torch.arange(8)[None]).logits.square().mean().backward()
        other.step()
    assert all(
        torch.equal(p, q) for p, q in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_tied_weights_stay_tied(qwen3: nn.Module, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path, 1, actor_of(qwen3), stepped(qwen3))
    twin = AutoModelForCausalLM.from_pretrained(saved.path)
    assert twin.lm_head.weight is twin.model.embed_tokens.weight


def test_any_damaged_file_is_named(qwen3: nn.Module, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path, 1, actor_of(qwen3), stepped(qwen3))
    for path in sorted(saved.path.iterdir()):
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 4
        path.write_bytes(bytes(flipped))
        with pytest.raises(CheckpointError):
            find_checkpoint(tmp_path)
        path.unlink()
        with pytest.raises(CheckpointError):
            find_checkpoint(tmp_path)
        path.write_bytes(whole)
    assert find_checkpoint(tmp_path) is not None


def test_files_in_folders_of_the_tokenizer_are_sealed_too(qwen3: nn.Module, tmp_path: Path) -> None:
    actor = actor_of(qwen3)
    actor.tokenizer.chat_template = {"default": "{{ messages }}", "tools": "{{ tools }}"}
    saved = save_checkpoint(tmp_path, 1, actor, stepped(qwen3))
    (inner,) = (path for path in saved.path.rglob("*/*") if path.is_file())
    inner.write_text("changed")
    with pytest.raises(CheckpointError, match=inner.name):
        find_checkpoint(tmp_path)


def test_a_crash_while_a_step_is_saved_again_loses_nothing(
    qwen3: nn.Module, tmp_path: Path
) -> None:
    saved = save_checkpoint(tmp_path, 1, actor_of(qwen3), stepped(qwen3))
    saved.path.rename(tmp_path / ".del-step-000001")
    clean(tmp_path)
    assert find_checkpoint(tmp_path) == saved


def test_an_iteration_that_was_not_saved_lists_those_that_were(
    qwen3: nn.Module, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, 5, actor_of(qwen3), stepped(qwen3))
    with pytest.raises(CheckpointError, match=r"step-000007.*step-000005"):
        find_checkpoint(tmp_path, 7)


def test_pruning_keeps_the_start_and_the_newest(qwen3: nn.Module, tmp_path: Path) -> None:
    actor, optimizer = actor_of(qwen3), stepped(qwen3)
    for iteration in (0, 5, 10, 15):
        save_checkpoint(tmp_path, iteration, actor, optimizer)
    prune(tmp_path, keep=2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["latest", "step-000000", "step-000010", "step-000015"]


def test_the_optimizer_of_another_model_is_refused(qwen3: nn.Module, tmp_path: Path) -> None:
    saved = save_checkpoint(tmp_path, 1, actor_of(qwen3), stepped(qwen3))
    other = torch.optim.AdamW([nn.Parameter(torch.zeros(2))])
    with pytest.raises(CheckpointError, match="the model has 1"):
        load_optimizer(saved, other)


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import conftest, test_checkpoint
from gigym.trainer.checkpoint import save_checkpoint
folder, model = Path(sys.argv[1]), conftest.build("qwen3")
actor, optimizer = test_checkpoint.actor_of(model), test_checkpoint.stepped(model)
for iteration in range(1, 10_000):
    save_checkpoint(folder, iteration, actor, optimizer)
    print(iteration, flush=True)
"""


def test_killing_the_writer_at_any_moment_leaves_a_checkpoint_that_loads(tmp_path: Path) -> None:
    rng = random.Random(0)
    here = Path(__file__).parent
    command = [sys.executable, "-c", _WRITER, str(tmp_path), str(here)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "1\n"
        pid = writer.pid
        for _ in range(40):
            os.kill(pid, signal.SIGCONT)
            time.sleep(rng.uniform(0.001, 0.05))
            os.kill(pid, signal.SIGSTOP)
            # Stopped between any two instructions, the folder is what a crash here would leave.
            found = find_checkpoint(tmp_path)
            assert found is not None
        os.kill(pid, signal.SIGKILL)
        acknowledged = int(writer.stdout.read().split()[-1])
    found = find_checkpoint(tmp_path)
    assert found is not None
    assert found.iteration >= acknowledged
    clean(tmp_path)
    assert not list(tmp_path.glob(".tmp-*"))
