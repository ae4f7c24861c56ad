"""Connections to database servers are encrypted, and their names checked, by options in the URL."""

import datetime
import ipaddress
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import KEYRING, session_server
from tests.databases import MariaServer, Missing, PgBouncer
from watchword.errors import StoreError
from watchword.store.connect import connect
from watchword.store.health import examine_database
from watchword.store.sql import SqlStore

OPTIONS = {  # what docs/how-to/choose-a-database.md says
    "postgres": "?sslmode=verify-full&sslrootcert={}",
    "mariadb": "?ssl_ca={}",
}


def make_certificates(folder: Path) -> None:
    """Write `ca.pem`, another one's `other.pem`, and `server.pem` with `server.key`."""
    now = datetime.datetime.now(datetime.UTC)

    def made(name: str, issuer: str) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True
            )
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(keys[issuer], hashes.SHA256())
        )

    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "other", "server")}
    for name, issuer in (("ca", "ca"), ("other", "other"), ("server", "ca")):
        pem = made(name, issuer).public_bytes(serialization.Encoding.PEM)
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "server.key").write_bytes(
        keys["server"].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@dataclass
class Secure:
    """A server that speaks TLS."""

    kind: str
    url: str
    folder: Path

    def with_options(self, authority: str) -> str:
        return self.url + OPTIONS[self.kind].format(self.folder / authority)


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="watchword-tls-"))
    folder.chmod(0o755)
    make_certificates(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=["postgres", "mariadb"])
def secure(
    request: pytest.FixtureRequest, certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Secure]:
    """Start a MariaDB that speaks TLS; for PostgreSQL, whose wheel does not, a pgbouncer."""
    kind, key = request.param, certificates / "server.key"
    try:
        if kind == "mariadb":
            server = MariaServer()
            if server.account:
                shutil.chown(key, server.account)
            server.start(f"--ssl-cert={certificates / 'server.pem'}", f"--ssl-key={key}")
            server.create("secure")
            yield Secure(kind, server.url("secure"), certificates)
            server.remove()
            return
        behind = session_server(kind, tmp_path_factory)
        if os.geteuid() == 0:
            shutil.chown(key, "postgres")
        bouncer = PgBouncer(
            behind,
            more="client_tls_sslmode = require\n"
            f"client_tls_key_file = {key}\nclient_tls_cert_file = {certificates / 'server.pem'}\n",
        )
    except Missing as missing:
        pytest.skip(str(missing))
    name = f"tls_{secrets.token_hex(4)}"
    behind.create(name)
    yield Secure(kind, bouncer.url(name), certificates)
    bouncer.remove()


def encryption(url: str) -> str:
    engine = connect(url)
    with engine.connect() as connection:
        found = {health.check: health.found for health in examine_database(connection)}
    engine.dispose()
    return found["encryption"]


def test_the_documented_options_encrypt_the_connection(secure: Secure) -> None:
    url = secure.with_options("ca.pem")

    SqlStore(url, KEYRING).close()

    assert encryption(url) == "on, within this machine"


def test_a_server_whose_certificate_another_has_signed_is_refused(
    secure: Secure,
) -> None:
    with pytest.raises(StoreError):
        SqlStore(secure.with_options("other.pem"), KEYRING)


def test_a_server_of_another_name_is_refused(secure: Secure) -> None:
    elsewhere = secure.with_options("ca.pem").replace("@127.0.0.1", "@localhost")

    with pytest.raises(StoreError):
        SqlStore(elsewhere, KEYRING)


def test_the_documentation_names_these_options() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/choose-a-database.md").read_text()

    for option in OPTIONS.values():
        assert option.format("/etc/ssl/certs/ca.pem") in page
