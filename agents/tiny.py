"""A tokenizer made from phrases, without a download: one token per phrase, bytes for the rest.

The blank in front of a phrase is part of its token, and a line that starts with a word gets a
blank that decoding takes away again; so `mug 1` is the same token wherever it stands. Matching is
leftmost-longest, and a phrase that ends in a word character matches only where the word ends:
`mug 1` is not found in `mug 12`. Any text round-trips exactly. The result is an ordinary
transformers tokenizer: `save_pretrained`, `AutoTokenizer.from_pretrained`, `tokenizer.json`.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

PAD, ACT, END, GAP = "<|pad|>", "<|act|>", "<|end|>", "<|gap|>"
"""Padding; what opens an action; what closes it; what stands for turns left out."""

_FIRST_PHRASE = 4 + 256
_WORD = re.compile(r"\w")
_LINE_START = re.compile(r"\n(?=[ \w])")


def build_tokenizer(phrases: Iterable[str]) -> PreTrainedTokenizerFast:
    """The tokenizer of these phrases; equal phrases in equal order give equal ids.

    Blanks around a phrase do not matter: `mug 1` and ` mug 1` name the same token.
    """
    specials = (PAD, ACT, END, GAP)
    octets = (f"<0x{octet:02X}>" for octet in range(256))
    forms = (_form(phrase) for phrase in phrases if phrase.strip(" "))
    # A phrase that is spelled like a control token or a byte stays outside: bytes will write it.
    tokens = tuple(dict.fromkeys((*specials, *octets, *forms)))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], byte_fallback=True, ignore_merges=True))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Prepend("\n"),
            normalizers.Replace(Regex(_LINE_START.pattern), "\n "),
            normalizers.Replace(Regex(r"\A\n"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        Regex(_pattern(tokens[_FIRST_PHRASE:])), "isolated"
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Fuse(), decoders.Replace(Regex(r"^ "), "")]
    )
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in specials]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        model_specific_special_tokens={"act_token": ACT, "gap_token": GAP},
        clean_up_tokenization_spaces=False,
    )


def _form(phrase: str) -> str:
    """How a phrase stands in normalised text: a blank comes before each word that starts a line."""
    bare = phrase.rstrip(" ")
    unled = bare.lstrip(" ")
    return _LINE_START.sub("\n ", f" {unled}" if _WORD.match(unled) else bare)


def _pattern(forms: Sequence[str]) -> str:
    """One alternation over all phrases, factored by prefix so that each character is read once.

    The last branch takes any single character: text outside the phrases reaches the model one
    character at a time, so that a piece of it can never equal a token by accident.
    """
    anything = "(?m:.)"
    return f"{_alternation(forms, '')}|{anything}" if forms else anything


def _alternation(suffixes: Sequence[str], last: str) -> str:
    """Matches the longest of the suffixes of phrases whose common beginning ended in `last`."""
    branches: dict[str, list[str]] = {}
    for suffix in suffixes:
        branches.setdefault(suffix[:1], []).append(suffix)
    ends = branches.pop("", [])
    patterns = [_branch(group) for group in branches.values()]
    # A backtracking engine takes the first branch that fits: a phrase that ends here comes last.
    if ends:
        patterns.append(r"(?!\w)" if _WORD.match(last) else "")
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"


def _branch(suffixes: Sequence[str]) -> str:
    lowest, highest = min(suffixes), max(suffixes)
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(lowest, highest, strict=False))
    shared = "".join(char for char, _ in equal)
    rest = [suffix[len(shared) :] for suffix in suffixes]
    return re.escape(shared) + _alternation(rest, shared[-1])
