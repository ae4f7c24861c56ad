"""Keys: split by purpose, listed newest first, and useless values when they are missing."""

import pytest

from watchword.errors import ConfigurationError
from watchword.keys import Key, Keyring

OLD, NEW = b"old" * 11, b"new" * 11


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        Key.from_secret(b"short")


def test_an_empty_list_of_keys_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        Keyring([])


def test_what_an_older_key_sealed_still_opens() -> None:
    sealed = Keyring.from_secrets([OLD]).seal("+237650000000", bound_to="VE1")

    assert "237650000000" not in sealed
    assert Keyring.from_secrets([NEW, OLD]).unseal(sealed, bound_to="VE1") == "+237650000000"


def test_a_sealed_value_opens_only_beside_its_own_row() -> None:
    keyring = Keyring.from_secrets([NEW])
    sealed = keyring.seal("+237650000000", bound_to="VE1")

    with pytest.raises(ConfigurationError, match="moved"):
        keyring.unseal(sealed, bound_to="VE2")


def test_a_dropped_key_is_named() -> None:
    sealed = Keyring.from_secrets([OLD]).seal("+237650000000", bound_to="VE1")

    with pytest.raises(ConfigurationError, match=Key.from_secret(OLD).id):
        Keyring.from_secrets([NEW]).unseal(sealed, bound_to="VE1")


def test_the_same_text_is_never_sealed_alike() -> None:
    keyring = Keyring.from_secrets([NEW])

    assert keyring.seal("x", bound_to="VE1") != keyring.seal("x", bound_to="VE1")


def test_a_fingerprint_is_of_one_service_and_one_key() -> None:
    new, both = Keyring.from_secrets([NEW]), Keyring.from_secrets([NEW, OLD])
    here = new.fingerprint("VA1", "+237650000000")

    assert here == both.fingerprint("VA1", "+237650000000")
    assert here != new.fingerprint("VA2", "+237650000000")
    assert both.names("VA1", "+237650000000") == (
        here,
        Keyring.from_secrets([OLD]).fingerprint("VA1", "+237650000000"),
    )


def test_a_key_and_a_keyring_show_no_secret() -> None:
    key = Key.from_secret(NEW)

    assert NEW not in repr(key).encode()
    assert repr(key.code) not in repr(key)
