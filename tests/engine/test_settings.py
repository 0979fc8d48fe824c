"""What a ``.env`` file says counts where the environment says nothing, for this library alone, and by its name."""

import os
import socket
import subprocess
import sys
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import kalshi_nb as kn
from kalshi_nb import _settings
from kalshi_nb._auth import Credentials, Secret
from kalshi_nb.errors import CredentialsError, MissingCredentialsError, PrivateKeyError, UnknownEnvironmentError

NAMES = ("KALSHI_API_KEY_ID", "KALSHI_KEY_ID", "KALSHI_PRIVATE_KEY", "KALSHI_PRIVATE_KEY_PATH", "KALSHI_ENV")


@pytest.fixture(autouse=True)
def project(monkeypatch, tmp_path):
    """A project of its own, and nothing in the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made():
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key, pem.decode()


KEY, PEM = made()


def is_ours(signer):
    return signer.fingerprint() == Credentials("i", Secret(KEY), environ={}).signer().fingerprint()


@pytest.mark.parametrize(
    "written",
    [
        'KALSHI_PRIVATE_KEY="{pem}"',
        "KALSHI_PRIVATE_KEY='{pem}'",
        'KALSHI_PRIVATE_KEY="{escaped}"',
        "KALSHI_PRIVATE_KEY={escaped}",
        "export KALSHI_PRIVATE_KEY='{escaped}'  # from May",
        "KALSHI_PRIVATE_KEY_PATH={path}",
        "KALSHI_PRIVATE_KEY_PATH = '{path}'",
        "KALSHI_PRIVATE_KEY_PATH=key.pem",
        "KALSHI_PRIVATE_KEY_PATH=./key.pem",
        "KALSHI_PRIVATE_KEY_PATH=${{HOME}}/key.pem",
        "KALSHI_PRIVATE_KEY_PATH=~/key.pem",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_key_and_key_id_are_taken_from_the_file(project, monkeypatch, written, encoding):
    monkeypatch.setenv("HOME", str(project))
    path = project / "key.pem"
    path.write_text(PEM)
    line = written.format(pem=PEM, escaped=PEM.replace("\n", "\\n"), path=path)
    (project / ".env").write_bytes(f"# mine\nKALSHI_API_KEY_ID=an-id\n{line}\nOTHER=1\n".encode(encoding))
    signer = Credentials().signer()
    assert signer.key_id == "an-id"
    assert is_ours(signer)
    assert not set(os.environ) & {*NAMES, "OTHER"}


def test_the_environment_goes_before_it_for_each_of_the_two(project, monkeypatch):
    (project / ".env").write_text(f"KALSHI_API_KEY_ID=of-the-file\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    monkeypatch.setenv("KALSHI_KEY_ID", "of-the-environment")
    assert Credentials().signer().key_id == "of-the-environment"
    monkeypatch.setenv("KALSHI_PRIVATE_KEY_PATH", "/nowhere/key.pem")
    with pytest.raises(PrivateKeyError, match="/nowhere"):
        Credentials().signer()


def test_what_is_passed_goes_before_both(project):
    (project / ".env").write_text(f"KALSHI_API_KEY_ID=of-the-file\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    assert Credentials("passed").signer().key_id == "passed"
    other, _ = made()
    assert not is_ours(Credentials("passed", Secret(other)).signer())


def test_a_value_that_is_empty_in_the_environment_is_none(project, monkeypatch):
    (project / ".env").write_text(f"KALSHI_API_KEY_ID=of-the-file\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    monkeypatch.setenv("KALSHI_API_KEY_ID", "")
    assert Credentials().signer().key_id == "of-the-file"


def test_it_is_found_above_the_working_directory_and_paths_in_it_are_beside_it(project, monkeypatch):
    (project / "keys").mkdir()
    (project / "keys" / "mine.pem").write_text(PEM)
    (project / ".env").write_text("KALSHI_API_KEY_ID=an-id\nKALSHI_PRIVATE_KEY_PATH=keys/mine.pem\n")
    deep = project / "notebooks" / "weather"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert is_ours(Credentials().signer())


def test_it_is_not_looked_for_above_the_project_nor_above_ones_home_nor_above_where_there_is_neither(
    project, monkeypatch
):
    (project / ".env").write_text(f"KALSHI_API_KEY_ID=of-somebody\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    for inside, mark in (("a", "pyproject.toml"), ("b", ".git")):
        (project / inside / "deep").mkdir(parents=True)
        (project / inside / mark).touch()
        monkeypatch.chdir(project / inside / "deep")
        assert Credentials().key_id() is None
    (project / "home" / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(project / "home"))
    monkeypatch.chdir(project / "home" / "work")
    assert Credentials().key_id() is None
    (project / "pyproject.toml").unlink()
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert Credentials().key_id() is None


def test_it_is_read_afresh_and_stays_the_same_file_when_the_working_directory_changes(project, monkeypatch):
    path = project / ".env"
    path.write_text(f"KALSHI_API_KEY_ID=first\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    credentials = Credentials()
    assert credentials.signer().key_id == "first"
    path.write_text(f"KALSHI_API_KEY_ID=second\nKALSHI_PRIVATE_KEY='{PEM}'\n")
    monkeypatch.chdir("/")
    assert credentials.signer().key_id == "second"


def test_errors_say_where_was_looked(project):
    with pytest.raises(MissingCredentialsError, match=r"Looked in the environment, and for a \.env file"):
        Credentials().signer()
    path = project / ".env"
    path.write_text("KALSHI_API_KEY_ID=an-id\n")
    with pytest.raises(MissingCredentialsError, match="No private key") as caught:
        kn.connect("demo")
    assert f"Looked in the environment and in {path}." in str(caught.value)
    with pytest.raises(UnknownEnvironmentError, match="Looked in the environment and in"):
        kn.connect()
    path.write_text("KALSHI_API_KEY_ID=an-id\nKALSHI_PRIVATE_KEY_PATH=/nowhere/key.pem\n")
    with pytest.raises(PrivateKeyError) as caught:
        kn.connect("demo")
    assert f"KALSHI_PRIVATE_KEY_PATH in {path}" in str(caught.value)
    path.write_text(f"KALSHI_API_KEY_ID='{PEM.splitlines()[1]}'\nKALSHI_PRIVATE_KEY_PATH=/nowhere/key.pem\n")
    with pytest.raises(CredentialsError, match="swapped") as caught:
        kn.connect("demo")
    assert f"KALSHI_API_KEY_ID in {path}" in str(caught.value)
    assert PEM.splitlines()[1][:16] not in str(caught.value)


def test_the_environment_is_taken_from_it_too_and_named(project):
    path = project / ".env"
    path.write_text("KALSHI_ENV=rubbish\n")
    with pytest.raises(UnknownEnvironmentError) as caught:
        kn.connect()
    assert f"KALSHI_ENV in {path}" in str(caught.value)
    path.write_text("KALSHI_ENV=sim\n")
    with kn.connect() as feed:
        assert feed.exchange is not None


def test_the_doctor_says_what_comes_from_it(project):
    path = project / ".env"
    with kn.sim.Exchange(seed=7, clock="manual") as exchange:
        exchange.add_key("an-id-of-mine", KEY.public_key())
        path.write_text(f"KALSHI_ENV={exchange.url}\nKALSHI_API_KEY_ID=an-id-of-mine\nKALSHI_PRIVATE_KEY='{PEM}'\n")
        report = kn.doctor(timeout=0.3)
    assert report.ok
    found = {each.name: each.text for each in report.checks}
    assert f"from KALSHI_ENV in {path}" in found["environment"]
    assert f"from KALSHI_API_KEY_ID in {path}" in found["key id"]
    assert f"from KALSHI_PRIVATE_KEY in {path}" in found["private key"]
    assert PEM.splitlines()[1] not in repr(report)
    path.unlink()
    assert "for a .env file" in kn.doctor("demo").problem.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"no equals sign", b"=\n=\n'", b"KALSHI_API_KEY_ID\n"])
def test_a_file_that_says_nothing_is_as_good_as_none(project, content):
    (project / ".env").write_bytes(content)
    with pytest.raises(MissingCredentialsError, match="No key id and private key"):
        Credentials().signer()


def test_a_folder_of_that_name_is_no_file(project):
    (project / ".env").mkdir()
    with pytest.raises(MissingCredentialsError, match="there is none"):
        Credentials().signer()


def test_a_file_that_may_not_be_read_is_named(project):
    (project / ".env").symlink_to("/proc/self/mem")  # whose first byte nobody can read, not even root
    with pytest.raises(MissingCredentialsError, match="cannot be read"):
        Credentials().signer()


def test_whoever_has_an_environment_loads_no_library_for_the_file(project):
    (project / ".env").write_text("KALSHI_API_KEY_ID=of-the-file\n")
    code = (
        "import sys; from kalshi_nb._auth import Credentials\n"
        "print(Credentials().signer().key_id, 'dotenv' in sys.modules)"
    )
    environ = {**os.environ, "KALSHI_API_KEY_ID": "an-id", "KALSHI_PRIVATE_KEY": PEM}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "an-id False\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_that_a_keeper_of_passwords_serves_as_a_pipe_is_read_once_and_kept(project):
    os.mkfifo(project / ".env")
    content = f"KALSHI_API_KEY_ID=an-id\nKALSHI_PRIVATE_KEY='{PEM}'\n"
    writer = threading.Thread(target=(project / ".env").write_text, args=(content,))
    writer.start()
    credentials = Credentials()
    assert is_ours(credentials.signer())
    writer.join(10)
    assert is_ours(credentials.signer())
    assert is_ours(Credentials().signer())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_file_that_does_not_answer_or_cannot_be_opened_is_named_with_the_reason(project, monkeypatch):
    monkeypatch.setattr(_settings, "_PATIENCE", 0.2)
    os.mkfifo(project / ".env")
    with pytest.raises(MissingCredentialsError, match=r"\.env, which did not answer within 0\.2 s"):
        Credentials().signer()
    (project / ".env").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(".env")
        with pytest.raises(MissingCredentialsError, match=r"\.env, which cannot be read \(No such device"):
            Credentials().signer()


def test_without_a_working_directory_the_environment_alone_counts(project, monkeypatch):
    gone = project / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(MissingCredentialsError, match="there is none"):
        Credentials().signer()
    monkeypatch.chdir(project)  # back, before the next who asks where he is
