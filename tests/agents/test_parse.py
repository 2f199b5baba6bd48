"""Replies become actions by strict rules; nothing is guessed, nothing raises, time is linear."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.agents.parse import MAX_TEXT, Parsed, ReplyRules, parse_plain, parse_tags, resolve

END = "<|im_end|>"
RULES = ReplyRules(forbidden=(END,))
OPEN = ReplyRules(forbidden=(END,), think_open=True)
WANTED = ReplyRules(forbidden=(END,), require_think=True)


@pytest.mark.parametrize(
    ("text", "action", "reason"),
    [
        ("<think>x</think><action>go to desk 1</action>", "go to desk 1", "ok"),
        ("<action>look</action>", "look", "ok"),
        ("<think>maybe <action>a</action></think><action>b</action>", "b", "ok"),
        ("<think>maybe <action>a</action>", None, "unclosed_think"),
        ("</action>x<action>", None, "malformed"),
        ("<action>a</action><action>b</action>", None, "multiple"),
        ("<action><action>a</action>", None, "malformed"),
        ("<action><action>a</action></action>", None, "malformed"),
        ("<action>a</action></action>", None, "malformed"),
        ("<action> \n </action>", None, "empty"),
        ("<ACTION>Search[Red Shoes]</Action>", "Search[Red Shoes]", "ok"),
        ("<action>a</action> because", "a", "ok"),
        ("go to desk 1", None, "no_action"),
        ("", None, "no_action"),
        ("&lt;action&gt;a&lt;/action&gt;", None, "no_action"),
        (f"<action>a{END}</action>", None, "malformed"),
        ("<action>a<think>b</action>", None, "unclosed_think"),
        ("<action>a</think></action>", None, "malformed"),
        ("<think>a</think>b</think><action>c</action>", "c", "ok"),
        ("<action>\u53bb\u684c\u5b50</action>", "\u53bb\u684c\u5b50", "ok"),
        ("< action>a</action>", None, "malformed"),
        ("<action x=1>a</action>", None, "malformed"),
        ("</think><think>a<action>b</action>", None, "unclosed_think"),
        ("<action>\tgo \n  to\u00a0desk 1 </action>", "go to desk 1", "ok"),
        ("<action>cafe\u0301</action>", "caf\u00e9", "ok"),
        (f"<action>{'x' * 513}</action>", None, "too_long"),
        (f"<action>{'x' * 512}</action>", "x" * 512, "ok"),
    ],
)
def test_a_reply_in_tags(text: str, action: str | None, reason: str) -> None:
    parsed = parse_tags(text, RULES)
    assert (parsed.action, parsed.reason) == (action, reason)
    assert parsed.valid == (action is not None)
    assert parsed.text == text


def test_a_thought_may_be_wanted() -> None:
    assert parse_tags("<action>look</action>", WANTED).reason == "no_think"
    assert parse_tags("</think><action>look</action>", WANTED).reason == "no_think"
    assert parse_tags("<think></think><action>look</action>", WANTED).action == "look"


def test_a_thought_that_the_prompt_opened_must_be_closed() -> None:
    assert parse_tags("x</think><action>a</action>", OPEN).action == "a"
    assert parse_tags("x<action>a</action>", OPEN).reason == "unclosed_think"


@pytest.mark.parametrize(
    ("text", "rules", "reason"),
    [
        ("<action>a", RULES, "truncated"),
        ("<think>a", RULES, "truncated"),
        ("a", OPEN, "truncated"),
        ("I will", RULES, "truncated"),
        ("<action>a</action><action>b", RULES, "truncated"),
        ("<action>a</action>", RULES, "ok"),
        ("<action>a</action> and then I", RULES, "ok"),
        ("</action>a<action>", RULES, "malformed"),
    ],
)
def test_a_reply_cut_at_the_token_limit(text: str, rules: ReplyRules, reason: str) -> None:
    assert parse_tags(text, rules, cut=True).reason == reason


def test_thought_and_oddities_are_kept_for_the_log() -> None:
    parsed = parse_tags("<think> hm </think></think> <action>a</action> so", RULES)
    assert parsed.thought == "hm </think>"
    assert parsed.remarks == ("extra_think", "trailing_text")
    assert parse_tags("<THINK>hm</THINK><action>a</action>", RULES).thought == "hm"
    assert parse_tags("<think>a</think><action>b</action>", RULES).remarks == ()


@pytest.mark.parametrize(
    ("text", "action", "reason"),
    [
        ("go to desk 1", "go to desk 1", "ok"),
        ("  go  to desk 1\n", "go to desk 1", "ok"),
        ("", None, "empty"),
        (f"look{END}", None, "malformed"),
        ("<action>look</action>", None, "malformed"),
        ("x" * 513, None, "too_long"),
    ],
)
def test_a_plain_reply(text: str, action: str | None, reason: str) -> None:
    parsed = parse_plain(text, RULES)
    assert (parsed.action, parsed.reason) == (action, reason)


def test_a_plain_reply_cut_at_the_token_limit_is_no_action() -> None:
    assert parse_plain("go to", RULES, cut=True).reason == "truncated"


def parsed(action: str | None) -> Parsed:
    return Parsed(action=action, reason="ok")


def test_an_admissible_action_is_sent_in_the_spelling_of_the_environment() -> None:
    offered = ("Go to Desk 1", "look", "LOOK", "open box")
    assert resolve(parsed("go  to desk 1"), offered).action == "Go to Desk 1"
    assert resolve(parsed("look"), offered) == Parsed(action="look", reason="ok", admissible=True)


def test_an_action_that_matches_none_or_several_is_inadmissible_and_stays_valid() -> None:
    offered = ("look", "LOOK", "open box")
    for action in ("Look", "fly"):
        answer = resolve(parsed(action), offered)
        assert (answer.action, answer.admissible, answer.valid) == (action, False, True)


def test_nothing_is_known_about_an_action_where_none_are_listed_or_there_is_none() -> None:
    assert resolve(parsed("look"), None).admissible is None
    assert resolve(parsed(None), ("look",)).admissible is None


BOMBS = {
    "opens": "<action>" * 9000,
    "closes": "</action>" * 9000,
    "pairs": "<action></action>" * 4000,
    "thinks": "<think>" * 9000,
    "angles": "<" * MAX_TEXT,
    "blanks": "<action>" + " " * (MAX_TEXT - 20) + "</action>",
    "marks": "<action>" + "\u0301\u0316" * (MAX_TEXT // 2 - 20) + "</action>",
    "over the cap": "<action>a</action>" + "x" * MAX_TEXT,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_64_kib_is_refused_at_once(name: str) -> None:
    began = time.process_time()
    for parse in (parse_tags, parse_plain):
        assert not parse(BOMBS[name], RULES).valid
    assert time.process_time() - began < 0.5


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ("<action>", "</action>", "<think>", "</think>", "a", " ", END, "<ACTION>", "\u0130")
        ),
        max_size=12,
    ).map("".join),
    st.booleans(),
    st.booleans(),
)
def test_whatever_is_accepted_stood_between_one_pair_of_tags(
    text: str, think_open: bool, cut: bool
) -> None:
    rules = ReplyRules(forbidden=(END,), think_open=think_open)
    parsed = parse_tags(text, rules, cut=cut)
    if parsed.action is None:
        assert parsed.reason != "ok"
        return
    region = text.lower().rpartition("</think>")[2]
    assert region.count("<action>") == region.count("</action>") == 1
    body = region.partition("<action>")[2].partition("</action>")[0]
    assert " ".join(body.split()) == parsed.action.lower()
    assert END not in parsed.action
