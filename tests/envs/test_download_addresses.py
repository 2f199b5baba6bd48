"""Where a download may lead: redirects, names, addresses and certificates."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from file_server import Answer, FileServer, file_server
from remote_file import CONTENT, HASTE, Log, pinned

from gigym.envs.download import addresses
from gigym.envs.download.fetch import fetch
from gigym.envs.errors import BadOption, DownloadFailed


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


def to(location: str) -> Answer:
    return Answer(status=302, headers={"Location": location})


def test_redirects_are_followed(server: FileServer, tmp_path: Path) -> None:
    server.put("/c", Answer(content=CONTENT))
    server.put("/b", to(f"{server.url}/c"))
    url = server.put("/a", to("/b"))
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT


def test_a_loop_of_redirects_ends(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", to("/a"))
    with pytest.raises(DownloadFailed, match="more than 5 redirects"):
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://[", "http://a:x/", "javascript:1"]
)
def test_a_redirect_to_no_http_url_is_refused(
    server: FileServer, tmp_path: Path, target: str
) -> None:
    with pytest.raises(DownloadFailed, match=r"no http URL|Invalid URL"):
        fetch(pinned(server.put("/a", to(target))), tmp_path, HASTE, Log())


PUBLIC = "8.8.8.8"


def stop_at(url: str, *found: str) -> addresses.Stop:
    stop = addresses.first_stop(url, 1)
    return replace(stop, addresses=found)


def test_no_redirect_leads_from_https_to_http() -> None:
    here = stop_at(f"https://{PUBLIC}/a", PUBLIC)
    with pytest.raises(DownloadFailed, match="from https to"):
        addresses.next_stop(here, here, f"http://{PUBLIC}/b", 1)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_no_redirect_leads_from_a_public_host_into_the_local_network(host: str) -> None:
    here = stop_at(f"http://{PUBLIC}/a", PUBLIC)
    with pytest.raises(DownloadFailed, match="address of this machine or the local network"):
        addresses.next_stop(here, here, f"http://{host}/b", 1)


def test_a_name_with_a_private_address_among_others_is_private() -> None:
    assert not stop_at("http://127.0.0.1/", PUBLIC, "192.168.0.1").is_public
    assert stop_at("http://127.0.0.1/", PUBLIC, "2001:4860:4860::8888").is_public


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://127.0.0.1/a", "expected a URL with http"),
        ("file:///etc/passwd", "expected a URL with http"),
        ("http:///a", "expected a URL with http"),
        ("https://user:secret@127.0.0.1/a", "holds a password"),
        ("http://127.0.0.1:99999/a", "Port out of range"),
    ],
)
def test_a_url_that_is_never_asked(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(BadOption, match=told) as caught:
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert "secret" not in str(caught.value)


def test_a_host_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"host 'nowhere.invalid' is not known"):
        fetch(pinned("http://nowhere.invalid/a"), tmp_path, HASTE, Log())


def resolving(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    """Let every name lead to these addresses; answers the list of names that were looked up."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(
        host: str, port: int | None, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        numeric = host.replace(".", "").isdecimal() or ":" in host
        if not numeric:
            asked.append(host)
        hosts = (host,) if numeric else found
        return [entry for each in hosts for entry in real(each, port, family, type, proto, flags)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_is_resolved_once_and_the_host_is_told_its_own_name(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.url.rpartition(":")[2]
    server.put("/a", Answer(content=CONTENT))
    asked = resolving(monkeypatch, "127.0.0.1")
    fetch(pinned(f"http://files.example:{port}/a"), tmp_path, HASTE, Log())
    assert asked == ["files.example"]
    assert [each.host for each in server.seen] == [f"files.example:{port}"]


def test_an_address_where_nobody_listens_is_passed_over(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.url.rpartition(":")[2]
    server.put("/a", Answer(content=CONTENT))
    resolving(monkeypatch, "127.0.0.2", "::1", "127.0.0.1")
    log = Log()
    fetch(pinned(f"http://files.example:{port}/a"), tmp_path, HASTE, log)
    assert len(server.seen) == 1 and log.notes == []


@pytest.fixture
def tls(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """A certificate for localhost, trusted here; answers its path."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += f" -addext subjectAltName=DNS:localhost -keyout {path} -out {path}.crt"
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", f"{path}.crt")
    return str(path)


def test_the_certificate_must_be_that_of_the_name(tls: str, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls)
    with file_server(context) as server:
        by_address = server.put("/a", Answer(content=CONTENT))
        by_name = by_address.replace("127.0.0.1", "localhost")
        once = replace(HASTE, attempts=1)
        with pytest.raises(DownloadFailed, match=r"(?i)certificate"):
            fetch(pinned(by_address), tmp_path, once, Log())
        assert server.seen == []
        assert fetch(pinned(by_name), tmp_path, once, Log()).read_bytes() == CONTENT


def test_a_redirect_from_https_to_http_is_refused_on_the_wire(
    tls: str, server: FileServer, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls)
    plain = server.put("/a", Answer(content=CONTENT))
    with file_server(context) as safe:
        url = safe.put("/a", to(plain)).replace("127.0.0.1", "localhost")
        with pytest.raises(DownloadFailed, match="from https to"):
            fetch(pinned(url), tmp_path, HASTE, Log())
    assert server.seen == []
