"""One optimiser step of TRL's GRPOTrainer whose environment is our class; nothing is downloaded.

The model is a Qwen3 of one layer with random weights. What it says while sampling is scripted: of
two siblings the first calls the tool as our expert would, the second gives up at once. The trainer,
its chat template, its parsing of calls and its loss are theirs.

stdin: {"env", "options", "seeds"}. Prints the versions, the log of the step, and how many calls the
expert made.
"""

import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import trl  # pyright: ignore[reportMissingImports]
from datasets import Dataset  # pyright: ignore[reportMissingImports]
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM
from trl import GRPOConfig, GRPOTrainer  # pyright: ignore[reportMissingImports]

import gigym
from gigym.envs.adapters import trl_environment

END, PAD = "<|im_end|>", "<|endoftext|>"


def bytes_tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte, with Qwen3's control tokens and its chat template as TRL ships it."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE(vocab={one: at for at, one in enumerate(letters)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=["<|im_start|>"],
    )
    template = Path(str(trl.__file__)).parent / "chat_templates" / "qwen3.jinja"
    tokenizer.chat_template = template.read_text(encoding="utf-8")
    return tokenizer


class Scripted(Qwen3ForCausalLM):
    """Calls the tool a number of times in a conversation, then ends it."""

    tokenizer: PreTrainedTokenizerFast
    known: dict[str, list[str]]
    """The expert's commands by the observation that an episode begins with."""

    def generate(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input_ids: torch.Tensor, **asked: object
    ) -> torch.Tensor:
        """The prompts with what is said next, padded on the right."""
        prompts = [str(self.tokenizer.decode(row)) for row in input_ids.tolist()]
        said = [self._next(prompt, at % 2 == 1) for at, prompt in enumerate(prompts)]
        length = max(map(len, said))
        pad = self.config.pad_token_id
        rows = [ids + [pad] * (length - len(ids)) for ids in said]
        return torch.cat([input_ids, torch.tensor(rows)], dim=1)

    def _next(self, prompt: str, gives_up: bool) -> list[int]:
        done = prompt.count("<tool_response>")
        (commands,) = (cmds for opening, cmds in self.known.items() if opening in prompt)
        text = "I am done."
        if done < len(commands) and (done > 0 or not gives_up):
            call = {"name": "act", "arguments": {"command": commands[done]}}
            text = f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
        return self.tokenizer(text + END, add_special_tokens=False)["input_ids"]


def solved(env_id: str, options: dict[str, Any], seeds: list[int]) -> dict[str, list[str]]:
    """What `Scripted.known` holds."""
    env = gigym.make(env_id, **options)
    known: dict[str, list[str]] = {}
    for seed in seeds:
        reply, expert = env.start(seed), env.expert()
        commands = known[reply.observation] = []
        while not reply.done:
            commands.append(expert.act(reply))
            reply = env.answer(commands[-1])
    return known


def tiny_model(tokenizer: PreTrainedTokenizerFast, known: dict[str, list[str]]) -> Scripted:
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=32768,
        pad_token_id=tokenizer.vocab[PAD],
        eos_token_id=tokenizer.vocab[END],
    )
    model = Scripted(config)
    model.tokenizer, model.known = tokenizer, known
    return model


def main() -> None:
    asked = json.load(sys.stdin)
    known = solved(asked["env"], asked["options"], asked["seeds"])
    rows = [
        {"prompt": [{"role": "user", "content": "Play."}], "seed": seed} for seed in asked["seeds"]
    ]
    tokenizer = bytes_tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=tiny_model(tokenizer, known),
            args=GRPOConfig(
                output_dir=folder,
                max_steps=1,
                per_device_train_batch_size=2 * len(rows),
                num_generations=2,
                max_completion_length=16384,
                logging_steps=1,
                report_to=[],
                use_cpu=True,
                save_strategy="no",
                shuffle_dataset=False,
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
            environment_factory=trl_environment(asked["env"], **asked["options"]),
        )
        trainer.train()
    versions = {name: version(name) for name in ("trl", "transformers", "torch")}
    calls = sum(map(len, known.values()))
    print(json.dumps({"versions": versions, "log": trainer.state.log_history[0], "calls": calls}))


if __name__ == "__main__":
    main()
