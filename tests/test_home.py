"""The files in WATCHWORD_HOME: made once, private, never made again over what is there."""

import stat
from pathlib import Path

import pytest

from watchword.errors import ConfigurationError
from watchword.home import credentials_in, keys_in


def test_the_keys_are_made_once_and_are_private(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"

    made = keys_in(home)

    assert len(made[0]) == 32
    assert keys_in(home) == made
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o600


def test_the_credentials_look_like_twilios(tmp_path: Path) -> None:
    found = credentials_in(tmp_path)

    assert found.account_sid.startswith("AC")
    assert found.service_sid.startswith("VA")
    assert len(found.account_sid) == len(found.service_sid) == 34
    assert credentials_in(tmp_path) == found
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    assert found.auth_token not in repr(found)


def test_nothing_is_left_beside_the_files(tmp_path: Path) -> None:
    keys_in(tmp_path)
    credentials_in(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"keys", "credentials.json"}


@pytest.mark.parametrize("text", ["", "not base64!", "\n"])
def test_spoilt_keys_are_refused_and_left_as_they_are(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)

    with pytest.raises(ConfigurationError, match="put it back"):
        keys_in(tmp_path)

    assert (tmp_path / "keys").read_text() == text


def test_a_home_that_cannot_be_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="WATCHWORD_HOME"):
        keys_in(tmp_path / "file" / "home")
