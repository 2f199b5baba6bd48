"""Configuration: what is accepted, what is refused, and in which words."""

from pathlib import Path

import pytest

from gigym.envs import BadOption
from gigym.trainer import Config, ConfigError, dump_config, load_config, recipe_names
from gigym.trainer.recipe import override


def test_every_shipped_recipe_loads() -> None:
    assert "quickstart" in recipe_names()
    for name in recipe_names():
        assert load_config(name).recipe == name


def test_a_dumped_configuration_reads_back_equal(tmp_path: Path) -> None:
    config = load_config("quickstart", ["seed=7", "env.max_steps=9", "rollout.deterministic=false"])
    path = tmp_path / "config.toml"
    path.write_text(dump_config(config))
    assert load_config(str(path)) == config


def test_overrides_are_read_as_toml_where_that_works() -> None:
    config = load_config("quickstart", ["optim.lr=1e-5", "estimator=grpo", "iterations=2"])
    assert (config.optim.lr, config.estimator, config.iterations) == (1e-5, "grpo", 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rollout.sibblings=4", ["rollout.sibblings", "did you mean rollout.siblings?"]),
        ("iteration=4", ["iteration", "did you mean iterations?"]),
        ("lr=4", ["lr", "did you mean optim.lr?"]),
        ("env.gamess=x", ["env.gamess", "did you mean env.games?"]),
        ("iterations=many", ["iterations", "many"]),
        ("iterations=1.5", ["iterations", "1.5"]),
        ("rollout.siblings=1", ["rollout.siblings", "greater than or equal to 2"]),
        ("optim.betas=[0.9, 1.0]", ["optim.betas.1", "less than 1"]),
        ("optim.lr=inf", ["optim.lr", "finite"]),
        ("warmstart.first_seed=0", ["warmstart.first_seed", "greater than 0"]),
        ("rollout.anchor=nothing", ["rollout.anchor", "'state'"]),
        ("env.id=ALFWord-v0", ["env.id", "did you mean 'ALFWorld-v0'?"]),
        ("estimator=gigp", ["estimator", "gigpo"]),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_was_meant(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("quickstart", [text])
    for word in words:
        assert word in str(caught.value)


def test_games_of_this_machine_are_no_option_for_far_servers(tmp_path: Path) -> None:
    far = 'env.urls=["http://127.0.0.1:9"]'
    with pytest.raises(ConfigError, match=r"env\.games.*gigym serve ALFWorld-v0 games="):
        load_config("quickstart", [far, f"env.games={tmp_path}"])


def test_a_reply_must_leave_room_for_a_prompt() -> None:
    with pytest.raises(ConfigError, match=r"rollout\.max_action_tokens.*engine\.max_model_len=16"):
        load_config("quickstart", ["engine.max_model_len=16"])


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("quickstart", ["iterations=-1", "optim.lr=0", "rollout.pol=3"])
    assert len(str(caught.value).splitlines()) == 3


def test_a_file_names_the_line_of_the_fault(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "recipe:quickstart"\n[rollout]\nsibblings = 4\n')
    with pytest.raises(ConfigError, match=r"mine\.toml:3: rollout\.sibblings"):
        load_config(str(path))


def test_a_file_may_extend_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "recipe:quickstart"\niterations = 3\n[optim]\nlr = 1e-4\n')
    config = load_config(str(path))
    base = load_config("quickstart")
    assert (config.iterations, config.optim.lr) == (3, 1e-4)
    assert config.optim.betas == base.optim.betas


def test_recipes_may_not_extend_each_other_in_a_circle(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(f'extends = "{two}"\n')
    two.write_text(f'extends = "{one}"\n')
    with pytest.raises(ConfigError, match="extend each other"):
        load_config(str(one))


def test_an_unknown_recipe_lists_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean 'quickstart'"):
        load_config("quikstart")


def test_text_without_a_sign_is_no_override() -> None:
    with pytest.raises(BadOption, match="key=value"):
        load_config("quickstart", ["seed"])


def test_games_that_are_not_there_are_found_out_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"env\.games: no such file"):
        load_config("quickstart", ["env.games=/nowhere/games.jsonl.xz"])


def test_the_path_of_games_is_kept_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "games").mkdir()
    monkeypatch.chdir(tmp_path)
    config = load_config("quickstart", ["env.games=games"])
    assert config.env.options["games"] == str(tmp_path / "games")


def test_there_are_at_most_eighty_keys() -> None:
    sections = [f.annotation for f in Config.model_fields.values()]
    nested = sum(len(getattr(s, "model_fields", {"": None})) for s in sections)
    assert nested <= 80


def test_an_override_on_top_of_a_run_is_checked_too() -> None:
    config = load_config("quickstart")
    assert override(config, ["iterations=99"]).iterations == 99
    with pytest.raises(ConfigError, match="did you mean"):
        override(config, ["iteratons=99"])
