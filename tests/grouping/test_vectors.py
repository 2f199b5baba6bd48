import json
from pathlib import Path

import pytest

from gigym.grouping import BadVectors, vectors

OWN = Path(__file__).parents[1] / "data" / "credit_vectors.json"


@pytest.mark.parametrize("case", vectors.load(OWN), ids=lambda case: case.id)
def test_our_own_cases_hold_in_any_clone(case: vectors.Case) -> None:
    assert [str(difference) for difference in vectors.check(case)] == []


@pytest.mark.parametrize("name", ["gigpo_vectors.json", "estimator_vectors.json"])
def test_every_public_case_holds_and_only_foreign_rules_are_not_built(
    test_data: Path, name: str
) -> None:
    cases = vectors.load(test_data / name)
    found = [(case.kind, d) for case in cases for d in vectors.check(case)]
    not_built = {kind for kind, d in found if d.got == vectors.NOT_BUILT}
    wrong = [str(d) for _, d in found if d.got != vectors.NOT_BUILT]
    assert len(cases) > 25
    assert wrong == []
    assert not_built <= {
        "drpo",
        "effective_rank",
        "expo",
        "graph_gae",
        "hpt_gate",
        "pair_miner",
        "redi",
        "spo_chain",
        "spo_tree",
        "trajectory_weights",
        "verl_shape",
    }


def test_a_wrong_number_is_reported_with_its_place(tmp_path: Path) -> None:
    document = json.loads(OWN.read_text())
    document["cases"][0]["expected"][0]["A_S"][3] += 1e-6
    (tmp_path / "wrong.json").write_text(json.dumps(document))
    found = vectors.check(vectors.load(tmp_path / "wrong.json")[0])
    assert [difference.where for difference in found] == ["block 0 gigpo A_S[3]"]


def test_a_quantity_that_nothing_computes_is_a_difference(tmp_path: Path) -> None:
    document = json.loads(OWN.read_text())
    document["cases"][0]["expected"] = [{"options": {}, "charm": [1.0] * 8}]
    (tmp_path / "charm.json").write_text(json.dumps(document))
    assert len(vectors.check(vectors.load(tmp_path / "charm.json")[0])) == 8


def test_a_case_without_a_check_is_reported_as_not_built(tmp_path: Path) -> None:
    rule = {"id": "P0", "rule": "alchemy", "options": {}, "input": {}, "expected": {}}
    document = {"format": "estimator-vectors/1", "cases": [], "rules": [rule]}
    (tmp_path / "rules.json").write_text(json.dumps(document))
    (case,) = vectors.load(tmp_path / "rules.json")
    assert [difference.got for difference in vectors.check(case)] == [vectors.NOT_BUILT]


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"format": "credit/9", "cases": []}', '{"cases": []}']
)
def test_a_file_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(BadVectors, match=r"bad\.json"):
        vectors.load(tmp_path / "bad.json")


def test_an_option_that_the_estimator_lacks_is_a_difference(tmp_path: Path) -> None:
    document = json.loads(OWN.read_text())
    del document["cases"][0]["id"]
    document["cases"][0]["expected"] = [{"options": {"gama": 0.9}, "A": [1.0] * 8}]
    (tmp_path / "option.json").write_text(json.dumps(document))
    case = vectors.load(tmp_path / "option.json")[0]
    (difference,) = vectors.check(case)
    assert case.id == "case 0"
    assert "did you mean 'gamma'" in str(difference.got)
