"""What a server is told: across the process border, which addresses are safe, token files."""

import stat
from pathlib import Path

import pytest

from gigym import GigymError
from gigym.envs import BadOption, UnknownEnv
from gigym.envs.wire import Code
from gigym.servers import BadTokenFile, HostedEnv, Limits, ServerSpec, UnsafeBind, load_token
from gigym.servers.command import hosted_envs, limited
from gigym.servers.errors import STATUS
from gigym.servers.offers import Offers
from gigym.servers.spec import check_bind, dump_spec, load_spec


def test_a_spec_survives_the_way_to_the_child() -> None:
    spec = ServerSpec(
        envs=(HostedEnv(id="A-v0", options={"games": "a b\u00e9.xz", "n": [1, None]}),),
        port=0,
        token="t",
        allow_hosts=("me.lan",),
        imports=("mine",),
        limits=Limits(sessions=3),
    )
    assert load_spec(dump_spec(spec)) == spec
    assert "\n" not in dump_spec(spec)


def test_a_token_is_not_shown() -> None:
    assert "hunter2" not in repr(ServerSpec(envs=(), token="hunter2"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"])
def test_loopback_needs_no_token(host: str) -> None:
    check_bind(ServerSpec(envs=(), host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "me.lan"])
def test_other_addresses_need_a_token_or_a_clear_wish(host: str) -> None:
    with pytest.raises(UnsafeBind, match="--token-file"):
        check_bind(ServerSpec(envs=(), host=host))
    check_bind(ServerSpec(envs=(), host=host, token="t"))
    check_bind(ServerSpec(envs=(), host=host, insecure=True))


def test_a_token_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = load_token(path)
    assert load_token(path) == token and len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(BadTokenFile, match="chmod 600"):
        load_token(path)
    path.chmod(0o600)
    for unusable in (b"\n", b"two words\n", b"two\nlines\n", b"\xdb\xff", b"\x07bell"):
        path.write_bytes(unusable)
        with pytest.raises(BadTokenFile, match="one word of printable ASCII"):
            load_token(path)


def test_each_environment_of_a_command_line_has_its_own_options() -> None:
    assert hosted_envs(["A-v0", "n=1", "path=x=y", "B-v0", 'name="z"']) == (
        HostedEnv(id="A-v0", options={"n": 1, "path": "x=y"}),
        HostedEnv(id="B-v0", options={"name": "z"}),
    )


def test_an_environment_has_one_set_of_options() -> None:
    envs = hosted_envs(["ALFWorld-v0", "difficulty=small", "ALFWorld-v0"])
    with pytest.raises(BadOption, match="offers an environment once"):
        Offers(envs)


def test_a_server_without_environments_serves_nothing() -> None:
    with pytest.raises(UnknownEnv, match="no environment to serve"):
        Offers(())


def test_any_limit_can_be_set_by_name() -> None:
    base = Limits(sessions=7)
    limits = limited(base, ["items=64", "step_s=0.5", "requests_per_s=0"])
    assert limits == Limits(sessions=7, items=64, step_s=0.5)


@pytest.mark.parametrize(
    "word",
    ["itmes=1", "items", "items=", "items=1.5", "items=0", "step_s=-1", "step_s=nan", "step_s=inf"],
)
def test_a_limit_without_sense_is_refused(word: str) -> None:
    with pytest.raises(BadOption, match=r"no limit|NAME=NUMBER"):
        limited(Limits(), [word])


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(Code)


def test_an_option_before_any_environment_is_refused() -> None:
    from gigym.servers.offers import Offers

    with pytest.raises(GigymError):
        Offers(hosted_envs(["n=1"]))
    with pytest.raises(GigymError, match="no environment to serve"):
        Offers(())
