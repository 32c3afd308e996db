"""Against a real nginx with a certificate made here, and scripted servers for what nginx never does."""

import asyncio
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from probes.clock import SystemClock
from probes.http import AGENT, Http
from probes.model import LocalError, Outcome, Target
from probes.run import Each
from tests.ports import own_port
from tests.probes.asks import asks_for, look
from tests.probes.namespace import look_inside
from tests.probes.servers import accepts, hang_up, needed, running, tcp_server

CONFIG = """\
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; {user}
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
  server {{
    listen 127.0.0.1:{plain}; listen [::1]:{plain}; listen 127.0.0.1:{tls} ssl; listen [::1]:{tls} ssl;
    location = / {{ return 200 "hello $http_host $http_user_agent"; }}
    location = /missing {{ return 404; }}
    location = /hop {{ return 302 /; }}
    location = /loop {{ return 302 /loop; }}
    location = /elsewhere {{ return 302 ftp://127.0.0.1/; }}
    location = /big {{ root {folder}; }}
  }}
}}
"""


class Nginx:
    def __init__(self, folder: Path) -> None:
        self.plain, self.tls = own_port(), own_port()
        self.ca = str(folder / "cert.pem")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    needed("nginx", "openssl")
    folder: Path = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=www.example",
            "-addext",
            "subjectAltName=DNS:www.example,IP:127.0.0.1",
            "-keyout",
            str(folder / "key.pem"),
            "-out",
            str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    (folder / "big").write_bytes(b"x" * 5_000_000)
    server = Nginx(folder)
    user = "user root;" if folder.owner() == "root" else ""
    (folder / "conf").write_text(CONFIG.format(folder=folder, plain=server.plain, tls=server.tls, user=user))
    with running(
        ["/usr/sbin/nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "conf")], folder / "log"
    ) as wait:
        wait(lambda: accepts(server.plain) and accepts(server.tls), "nginx")
        yield server


@pytest.fixture
async def engine():
    engine = Each(vantage="vantage:test", clock=SystemClock())
    yield engine
    await engine.close()
    assert engine.bugs == 0


async def ask(engine, probe, address, family=4, timeout=10.0):
    [seen] = (await look(engine, asks_for(probe, [(address, family)], timeout))).values()
    return seen.parts[""]


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", 4), ("[::1]", 6)])
async def test_a_page_over_http(engine, nginx, host, family):
    part = await ask(engine, Http(), f"http://{host}:{nginx.plain}/", family)

    assert (part.outcome, part.reason) == (Outcome.OK, "")
    assert part.values["status"] == 200
    assert 0 < part.values["connect_seconds"] <= part.values["first_byte_seconds"] <= part.values["rtt_seconds"]
    assert "certificate_expires_timestamp_seconds" not in part.values


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", 4), ("::1", 6)])
async def test_a_name_is_asked_at_an_address_with_its_certificate(engine, nginx, address, family):
    part = await ask(engine, Http(url=f"https://www.example:{nginx.tls}/", ca=nginx.ca), address, family)

    assert (part.outcome, part.reason) == (Outcome.OK, "")
    days = (part.values["certificate_expires_timestamp_seconds"] - SystemClock().now().timestamp()) / 86_400
    assert 28 < days < 31


def open_sockets_to(port: int) -> int:
    """Sockets of ours whose other end is that port of 127.0.0.1; those given back have no inode any more."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2] == f"0100007F:{port:04X}" and row[9] != "0" for row in rows)


def never_says_goodbye(listener: socket.socket, certificate: str, asked: threading.Event) -> None:
    """Answer one request over TLS, then neither read nor close until the test is over."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, Path(certificate).with_name("key.pem"))
    with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        asked.wait(30)


async def test_a_server_that_never_ends_tls_keeps_no_socket_of_ours(engine, nginx):
    """TLS says goodbye in several steps; a look is over when its socket is given back."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = asyncio.create_task(asyncio.to_thread(never_says_goodbye, listener, nginx.ca, over))
        part = await ask(engine, Http(url=f"https://www.example:{port}/", ca=nginx.ca), "127.0.0.1")
        left = open_sockets_to(port)
        over.set()
        await server

    assert (part.outcome, part.reason, left) == (Outcome.OK, "", 0)


async def test_a_certificate_that_nobody_vouches_for_is_a_refusal(engine, nginx):
    part = await ask(engine, Http(), f"https://127.0.0.1:{nginx.tls}/")

    assert (part.outcome, part.refused) == (Outcome.FAILED, True)
    assert part.reason == "its certificate is not valid: self-signed certificate"


async def test_a_certificate_for_another_name_is_a_refusal(engine, nginx):
    part = await ask(engine, Http(url=f"https://other.example:{nginx.tls}/", ca=nginx.ca), "127.0.0.1")

    assert part.reason.startswith("its certificate is not valid: Hostname mismatch")


async def test_tls_to_a_server_without_tls(engine, nginx):
    part = await ask(engine, Http(), f"https://127.0.0.1:{nginx.plain}/")

    assert (part.outcome, part.refused) == (Outcome.FAILED, True)
    assert part.reason.startswith("TLS fails: ")


@pytest.mark.parametrize(
    ("path", "settings", "reason"),
    [
        ("missing", {}, "answers 404 where 200-399 is expected"),
        ("missing", {"status": "200, 404"}, ""),
        ("", {"status": "301-399"}, "answers 200 where 301-399 is expected"),
        ("hop", {}, ""),
        ("hop", {"redirects": 1, "status": "200"}, ""),
        ("hop", {"redirects": 0, "status": "302"}, ""),
        ("loop", {}, "redirects too often"),
        ("elsewhere", {}, "redirects to what is no URL of http or https"),
        ("big", {}, ""),
    ],
)
async def test_statuses_and_redirects(engine, nginx, path, settings, reason):
    part = await ask(engine, Http(**settings), f"http://127.0.0.1:{nginx.plain}/{path}")

    outcome = Outcome.FAILED if reason else Outcome.OK
    assert (part.outcome, part.reason, part.refused) == (outcome, reason, bool(reason))


async def test_a_closed_port_refuses(engine):
    port = own_port()
    part = await ask(engine, Http(), f"http://127.0.0.1:{port}/")

    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, f"refuses port {port}", True)


class Speaker:
    """Says its piece, whatever it is asked, remembers the request, and may then hang."""

    def __init__(self, *said: bytes, hang: bool = False) -> None:
        self.said, self.hang = b"".join(said), hang
        self.heard: list[bytes] = []

    async def __call__(self, reader, writer):
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.said)
        await writer.drain()
        if self.hang:
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"HTTP/1.1 200"]
)
async def test_an_answer_that_breaks_off_is_a_refusal(engine, said):
    async with tcp_server(Speaker(said)) as port:
        part = await ask(engine, Http(), f"http://127.0.0.1:{port}/")

    assert (part.outcome, part.refused) == (Outcome.FAILED, True)
    assert part.reason.startswith("breaks off its answer (")


async def test_a_server_that_accepts_and_says_nothing_is_silent(engine):
    async with tcp_server(Speaker(hang=True)) as port:
        part = await ask(engine, Http(), f"http://127.0.0.1:{port}/", timeout=0.3)

    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, "no answer within 0.3 s", False)


async def test_an_endless_body_ends_after_64_kib(engine):
    async with tcp_server(Speaker(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 70_000, hang=True)) as port:
        part = await ask(engine, Http(), f"http://127.0.0.1:{port}/")

    assert part.outcome is Outcome.OK


async def test_it_says_who_asks(engine):
    speaker = Speaker(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with tcp_server(speaker) as port:
        await ask(engine, Http(url=f"http://www.example:{port}/x"), "127.0.0.1")
        await ask(engine, Http(agent="Someone/1"), f"http://127.0.0.1:{port}/")
    heard = speaker.heard

    assert f"User-Agent: {AGENT}\r\n".encode() in heard[0]
    assert f"Host: www.example:{port}\r\n".encode() in heard[0]
    assert heard[0].startswith(b"GET /x HTTP/1.1\r\n")
    assert b"User-Agent: Someone/1\r\n" in heard[1]


def test_our_own_resolver_and_our_own_link_are_never_the_targets_fault():
    order = {
        "kind": "http",
        "settings": {},
        "timeout": 0.5,
        "targets": [
            ["www.example", 4],
            ["http://192.0.2.1/", 4],
            ["http://[2001:db8::1]/", 6],
        ],
    }
    resolver = (
        "printf 'nameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n' > $d/r; mount --bind $d/r /etc/resolv.conf"
    )
    silent = (
        "nft add table inet t",
        "nft 'add chain inet t in { type filter hook input priority 0; }'",
        "nft add rule inet t in udp dport 53 drop",
    )

    refused = look_inside("d=$(mktemp -d)", resolver, order=order)["parts"]
    dropped = look_inside("d=$(mktemp -d)", resolver, *silent, order=order)["parts"]

    assert refused["www.example"][0] == "unknown"
    assert refused["www.example"][1].startswith("our resolver knows no IPv4 address of it: ")
    assert dropped["www.example"][:2] == ["unknown", "no answer of our own resolver within 0.5 s"]
    assert refused["http://192.0.2.1/"][:2] == ["unknown", "this machine has no route to it"]
    assert refused["http://[2001:db8::1]/"][:2] == ["unknown", "this machine has no route to it"]


@pytest.mark.parametrize(
    ("probe", "address", "family", "url", "pinned"),
    [
        (Http(), "www.example", 4, "https://www.example/", {}),
        (Http(), "192.0.2.1", 4, "http://192.0.2.1/", {"192.0.2.1": "192.0.2.1"}),
        (Http(), "2001:DB8::1", 6, "http://[2001:DB8::1]/", {"2001:db8::1": "2001:db8::1"}),
        (Http(host="www.example"), "192.0.2.1", 4, "https://www.example/", {"www.example": "192.0.2.1"}),
        (
            Http(url="http://www.example:8080/a"),
            "2001:db8::1",
            6,
            "http://www.example:8080/a",
            {"www.example": "2001:db8::1"},
        ),
        (Http(url="http://www.example/"), "www.example", 4, "http://www.example/", {}),
    ],
)
def test_what_is_asked_and_where(probe, address, family, url, pinned):
    assert probe.where(Target("t", address, family)) == (url, pinned)


@pytest.mark.parametrize(
    ("address", "family", "reason"),
    [
        ("ftp://x.example/", 4, "no URL of http or https"),
        ("http://", 4, "no URL of http or https"),
        ("http://a:b@x.example/", 4, "a URL with a user name or password in it is not asked"),
        ("http://192.0.2.1/", 6, "not an IPv6 address"),
        ("http://x.example:99999/", 4, "ort"),
        ("http://[::1/", 6, "Invalid IPv6 URL"),
    ],
)
async def test_an_address_that_cannot_be_asked_is_our_fault(engine, address, family, reason):
    with pytest.raises(LocalError, match=reason):
        Http().where(Target("t", address, family))
    part = await ask(engine, Http(), address, family)
    assert part.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": "http://x.example/", "host": "x.example"}, "url and host: give one of them"),
        ({"url": "gopher://x.example/"}, "no URL of http or https"),
        ({"status": "2xx"}, "status: '2xx'; statuses and ranges expected"),
        ({"redirects": 11}, "redirects: 11; 0 to 10 expected"),
        ({"agent": "two\nlines"}, "agent: printable ASCII expected"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, reason):
    with pytest.raises(ValueError, match=reason):
        Http(**settings)


async def test_certificates_that_cannot_be_read_are_our_fault(engine):
    part = await ask(engine, Http(ca="/no/such/file"), "https://127.0.0.1:1/")

    assert (part.outcome, part.reason) == (
        Outcome.UNKNOWN,
        "the certificates to trust cannot be read from /no/such/file: No such file or directory",
    )


@pytest.fixture
def expired(tmp_path):
    """The certificate of www.example for January 2020; its key lies beside it."""
    needed("openssl")
    (tmp_path / "ca.conf").write_text(
        "[ca]\ndefault_ca=a\n[a]\nnew_certs_dir=.\ndatabase=index\nserial=serial\ndefault_md=sha256\npolicy=p\n"
        "copy_extensions=copy\n[p]\ncommonName=supplied\n"
    )
    (tmp_path / "index").write_text("")
    (tmp_path / "serial").write_text("01")
    for command in (
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=www.example"
        " -addext subjectAltName=DNS:www.example -keyout key.pem -out request.pem",
        "ca -config ca.conf -batch -selfsign -keyfile key.pem -in request.pem -out cert.pem -notext"
        " -startdate 20200101000000Z -enddate 20200201000000Z",
    ):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    return str(tmp_path / "cert.pem")


async def test_an_expired_certificate_is_a_refusal(engine, expired):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(expired, Path(expired).with_name("key.pem"))
    async with tcp_server(hang_up, ssl=context) as port:
        part = await ask(engine, Http(url=f"https://www.example:{port}/", ca=expired), "127.0.0.1")

    assert (part.reason, part.refused) == ("its certificate is not valid: certificate has expired", True)
