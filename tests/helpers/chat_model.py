"""A chat model's tokenizer without a download: byte-level BPE and a template of choice."""

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

START, END, TEXT_END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING = CHATML.replace("<|im_start|>assistant\n{%", "<|im_start|>assistant\n<think>\n{%")
TURNS_IN_BRACKETS = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% else %} {{ m.content | trim }}<|endoftext|>{% endif %}{% endfor %}"
)
FIRST_MESSAGE_ONLY = "{{ messages[0].content }}"
NO_ASSISTANT = (
    "{% for m in messages %}{% if m.role != 'user' %}{{ raise_exception('users only') }}"
    "{% endif %}{{ m.content }}{% endfor %}"
)


def chat_tokenizer(template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """A tokenizer of some hundred entries whose end of turn is `<|im_end|>`."""
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    corpus = ["user assistant think action go to the desk and look at you in one turn of the world"]
    bpe.train_from_iterator(corpus * 4, trainer)
    controls = [AddedToken(t, special=True, normalized=False) for t in (START, END, TEXT_END)]
    bpe.add_special_tokens(controls)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=TEXT_END, pad_token=TEXT_END, name_or_path="tiny-chat"
    )
    tokenizer.chat_template = template
    return tokenizer
