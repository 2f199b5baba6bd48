"""The offline tokenizer: phrases are single tokens, everything else is exact."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from gigym.agents.tiny import ACT, END, GAP, PAD, build_tokenizer
from gigym.envs import make

PHRASES = (
    "mug",
    "mug 1",
    "mug 12",
    "go to",
    ", a",
    "You see a",
    "In a row:\nNext",
    "-= Hello",
    ".",
)
CONTROLS = (PAD, ACT, END, GAP)
TOKENIZER = build_tokenizer(PHRASES)

pieces = st.sampled_from(
    (
        *PHRASES,
        *CONTROLS,
        " ",
        "\n",
        "\r\n",
        "\t",
        "x",
        "1",
        "<0x41>",
        "<|im_end|>",
        "\u2581",
        "\u0301",
    )
)
texts = st.one_of(st.text(st.characters(exclude_categories=("Cs",))), st.lists(pieces).map("".join))


def tokens(text: str, tokenizer: PreTrainedTokenizerFast = TOKENIZER) -> list[str]:
    ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    return [str(tokenizer.convert_ids_to_tokens(token)) for token in ids]


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_one_token_alone_and_inside_a_text(phrase: str) -> None:
    (alone,) = tokens(phrase)
    inside = tokens(f"go to {phrase}" if phrase[0].isalnum() else f"go to{phrase}")
    assert inside == [" go to", alone]


def test_a_word_is_the_same_token_at_the_start_of_a_line_and_after_a_blank() -> None:
    assert tokens("mug 1") == [" mug 1"]
    assert tokens("go to mug 1\nmug 1") == [" go to", " mug 1", "<0x0A>", " mug 1"]


def test_the_longest_phrase_wins() -> None:
    assert tokens("go to mug 12.") == [" go to", " mug 12", "."]


def test_a_phrase_is_not_found_inside_a_longer_word_or_number() -> None:
    assert " mug 12" not in tokens("mug 123")
    assert " mug 1" not in tokens("mug 123")
    assert tokens("mug 123")[0] == " mug"
    assert " mug" not in tokens("mugs")
    assert " mug" not in tokens("smug")


def test_blanks_around_a_phrase_do_not_matter() -> None:
    assert build_tokenizer(["mug 1"]).get_vocab() == build_tokenizer([" mug 1 "]).get_vocab()


@settings(deadline=None)
@given(texts)
def test_every_text_round_trips_and_speaks_in_no_control_token(text: str) -> None:
    ids = TOKENIZER.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert TOKENIZER.decode(ids) == text
    assert not set(ids) & {TOKENIZER.get_vocab()[control] for control in CONTROLS}


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=6), max_size=8), texts)
def test_any_phrases_make_an_exact_tokenizer(phrases: list[str], text: str) -> None:
    tokenizer = build_tokenizer(phrases)
    whole = " ".join((*phrases, text))
    ids = tokenizer.encode(whole, add_special_tokens=False, split_special_tokens=True)
    assert tokenizer.decode(ids) == whole


def test_a_phrase_spelled_like_a_control_token_or_a_byte_gets_no_token() -> None:
    tokenizer = build_tokenizer([ACT, "<0x41>", "mug"])
    assert len(tokenizer) == len(build_tokenizer(["mug"]))
    assert tokenizer.decode(tokenizer.encode("<0x41>", add_special_tokens=False)) == "<0x41>"


def test_equal_phrases_give_equal_ids() -> None:
    assert build_tokenizer(PHRASES).get_vocab() == TOKENIZER.get_vocab()
    assert build_tokenizer([*PHRASES, "mug"]).get_vocab() == TOKENIZER.get_vocab()


def test_a_saved_tokenizer_loads_as_any_other_and_encodes_the_same(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = f"You see a mug 12, a mug 1.\nIn a row:\nNext x {ACT}"
    assert tokens(text, loaded) == tokens(text)
    assert loaded.get_vocab() == TOKENIZER.get_vocab()
    assert (loaded.eos_token, loaded.pad_token, loaded.act_token) == (END, PAD, ACT)


def test_alfworld_reads_without_falling_back_to_bytes() -> None:
    env = make("ALFWorld-v0", difficulty="standard")
    tokenizer = build_tokenizer(env.vocabulary())
    for seed in range(0, 24, 2):
        reply, expert = env.start(seed), env.expert("state")
        while not reply.done:
            action = expert.act(reply)
            for text in (reply.observation, *(reply.admissible_actions or ()), action):
                spelled = [token for token in tokens(text, tokenizer) if token.startswith("<0x")]
                assert not spelled, text
            reply = env.answer(action)
