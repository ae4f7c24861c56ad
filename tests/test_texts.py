"""The texts: every language complete, chosen well, linted; templates checked; lines in place."""

import re
from pathlib import Path

import phonenumbers
import pytest
from click.testing import CliRunner
from twilio.rest import Client

from tests.conftest import CREDENTIALS, PHONE, make_engine
from watchword.cli import main
from watchword.clock import ManualClock
from watchword.commands.verifications import StartVerification
from watchword.errors import ConfigurationError
from watchword.model import Wording
from watchword.phone import parse
from watchword.senders.inbox import InboxSender
from watchword.store.memory import MemoryStore
from watchword.texts.configured import texts_from
from watchword.texts.languages import find_language, language_of_country, languages
from watchword.texts.lint import lint
from watchword.texts.segments import Encoding, measure
from watchword.texts.template import KNOWN, VARIABLE, faults
from watchword.texts.write import Occasion, Texts

CODE = "0123456789"
ACME = Occasion("Acme", CODE, "FR", 10)


def test_forty_languages_and_more_say_the_code_in_one_segment() -> None:
    lines = lint(Texts(origin="login.example.com"), "Acme Bank")

    assert len(languages()) >= 40
    assert [line for line in lines if line.faults] == []
    assert {line.segments for line in lines if line.form == "plain"} == {1}


@pytest.mark.parametrize("tag", languages())
def test_a_language_fills_every_variable_and_uses_no_other(tag: str) -> None:
    language = languages()[tag]
    text = Texts().write(ACME, Wording(locale=tag, do_not_share=True))

    assert faults(language.code) == []
    for part in (language.spoken, language.again, language.subject, language.expires):
        assert set(VARIABLE.findall(part)) <= set(KNOWN)
    assert text.body.count(CODE) == 1
    assert "Acme" in text.body
    assert language.do_not_share in text.body
    assert all("0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in sentence for sentence in text.spoken)
    assert "10" in text.footer
    assert CODE not in text.subject
    assert "{" not in "".join((text.body, *text.spoken, text.subject, text.footer))


@pytest.mark.parametrize(
    ("locale", "tag"),
    [
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("pt_BR", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("pt-MZ", "pt"),
        ("zh-TW", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-CN", "zh"),
        ("iw", "he"),
        ("no", "nb"),
        ("tl-PH", "fil"),
    ],
)
def test_a_locale_finds_its_language(locale: str, tag: str) -> None:
    found = find_language(locale)

    assert found is not None
    assert found.tag == tag


@pytest.mark.parametrize("locale", ["", "xx", "-", "klingon", "e"])
def test_a_locale_nobody_speaks_finds_none(locale: str) -> None:
    assert find_language(locale) is None


def test_every_country_of_the_world_has_a_language() -> None:
    regions = phonenumbers.SUPPORTED_REGIONS

    spoken = {language_of_country(region).tag for region in regions}

    assert language_of_country("CM").tag == "fr"
    assert language_of_country("BR").tag == "pt-BR"
    assert language_of_country("001").tag == "en"
    assert spoken <= set(languages())
    assert len(spoken) > 30


def test_the_number_s_country_chooses_and_a_locale_overrides() -> None:
    assert Texts().write(ACME, Wording()).language.tag == "fr"
    assert Texts().write(ACME, Wording(locale="de")).language.tag == "de"
    assert Texts().write(ACME, Wording(locale="xx")).language.tag == "fr"


def test_english_is_worded_as_twilio_words_it() -> None:
    body = Texts().write(Occasion("Acme", "123456", "US", 10), Wording()).body

    assert body == "Your Acme verification code is: 123456"


def test_an_origin_adds_the_line_browsers_read() -> None:
    body = Texts(origin="login.example.com").write(ACME, Wording()).body

    assert body.splitlines()[-1] == f"@login.example.com #{CODE}"
    assert body.splitlines()[-2] == ""


def test_only_an_sms_has_the_lines_that_devices_read() -> None:
    text = Texts(origin="login.example.com").write(ACME, Wording(app_hash="He42w354ol9"))

    assert text.plain == f"Votre code de vérification Acme : {CODE}"
    assert text.plain in text.body


def test_the_warning_is_joined_as_the_language_joins_sentences() -> None:
    def joined(tag: str) -> str:
        return Texts().write(ACME, Wording(locale=tag, do_not_share=True)).body

    assert f"{CODE}. Don't share" in joined("en")
    assert f"{CODE}。このコード" in joined("ja")
    assert f"{CODE}。请勿" in joined("zh")


def test_an_app_hash_comes_last_and_the_origin_s_line_can_still_be_read() -> None:
    wording = Wording(locale="en", app_hash="He42w354ol9")

    plain = Texts().write(ACME, wording).body
    both = Texts(origin="example.com").write(ACME, wording).body

    assert plain == f"<#> Your Acme verification code is: {CODE} He42w354ol9"
    assert both.endswith(" He42w354ol9")
    assert re.search(rf"^@example\.com #{CODE}(?= |$)", both.splitlines()[-1])


def test_a_name_that_looks_like_a_variable_stays_a_name() -> None:
    occasion = Occasion("{{code}}", "123456", "US", 10)

    assert "{{code}}" in Texts().write(occasion, Wording()).body


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("a" * 160, Encoding.GSM7, 1),
        ("a" * 161, Encoding.GSM7, 2),
        ("a" * 306, Encoding.GSM7, 2),
        ("a" * 307, Encoding.GSM7, 3),
        ("€" * 80, Encoding.GSM7, 1),
        ("a" + "€" * 80, Encoding.GSM7, 2),
        ("ж" * 70, Encoding.UCS2, 1),
        ("ж" * 71, Encoding.UCS2, 2),
        ("😀" * 35, Encoding.UCS2, 1),
        ("😀" * 36, Encoding.UCS2, 2),
        ("", Encoding.GSM7, 1),
    ],
)
def test_segments_are_counted_as_carriers_count(
    text: str, encoding: Encoding, segments: int
) -> None:
    size = measure(text)

    assert (size.encoding, size.segments) == (encoding, segments)


@pytest.mark.parametrize(
    "text",
    [
        "no code at all",
        "{{code}} {{code}}",
        "{{code}} {{password}}",
        "{{code}} {{",
        "{{code}} at https://example.com",
        "{{code}} see bit.ly/x",
        "{{code}}\x07",
        "{{code}}" + "x" * 500,
        "{code}",
    ],
)
def test_a_template_with_a_fault_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"texts\.templates\.login\.en: "):
        texts_from({"templates": {"login": {"en": text}}})


def test_unknown_keys_and_languages_are_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"texts\.orgin"):
        texts_from({"orgin": "example.com"})
    with pytest.raises(ConfigurationError, match=r"templates\.login\.xx"):
        texts_from({"templates": {"login": {"xx": "{{code}}"}}})
    with pytest.raises(ConfigurationError, match="host name"):
        texts_from({"origin": "not a host"})
    with pytest.raises(ConfigurationError, match=r"no \[texts\.templates\.gone\]"):
        texts_from({"template": "gone"})


def test_an_operator_s_template_is_used_by_name_by_sid_or_by_default() -> None:
    table = {"templates": {"login": {"en": "{{code}} opens {{friendly_name}} for {{ttl}} minutes"}}}
    texts = texts_from(table)
    by_default = texts_from(table | {"template": "login"})
    sid = texts.templates["login"].sid

    expected = f"{CODE} opens Acme for 10 minutes"

    assert re.fullmatch("HJ[0-9a-f]{32}", sid)
    assert texts.write(ACME, Wording(template="login")).body == expected
    assert texts.write(ACME, Wording(template=sid)).body == expected
    assert by_default.write(ACME, Wording()).body == expected
    assert texts.write(ACME, Wording()).body != expected


def test_the_engine_writes_in_the_language_of_the_number(
    client: Client, inbox: InboxSender
) -> None:
    service = client.verify.v2.services(CREDENTIALS.service_sid)

    service.verifications.create(to=PHONE, channel="sms")

    message = inbox.messages()[0]
    assert message.body == f"Votre code de vérification Acme : {message.code}"


def test_a_start_says_how_it_wants_its_message_worded(
    inbox: InboxSender, clock: ManualClock
) -> None:
    engine = make_engine(MemoryStore(), inbox, clock)
    wording = Wording(locale="sw", friendly_name="Duka")
    start = StartVerification(
        CREDENTIALS.service_sid, CREDENTIALS.account_sid, parse(PHONE), wording=wording
    )

    engine.perform(start)

    message = inbox.messages()[0]
    assert message.sender == "Duka"
    assert message.body == f"Nambari yako ya uthibitisho ya Duka ni: {message.code}"


def test_the_command_line_lists_previews_and_lints(home: Path) -> None:
    home.mkdir()
    (home / "watchword.toml").write_text(
        '[texts]\norigin = "example.com"\n[texts.templates.login]\nfr = "{{code}} pour entrer"\n'
    )
    run = CliRunner()

    listed = run.invoke(main, ["templates", "list"])
    shown = run.invoke(main, ["templates", "preview", "--template", "login", "--to", PHONE])
    linted = run.invoke(main, ["templates", "lint"])
    unknown = run.invoke(main, ["templates", "preview", "--locale", "xx"])

    assert "login" in listed.stdout
    assert shown.stdout == "123456 pour entrer\n\n@example.com #123456\n"
    assert "said in a call" in shown.stderr
    assert linted.exit_code == 0, linted.output
    assert unknown.exit_code == 1


def test_a_file_that_is_wrong_stops_the_command_and_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "watchword.toml").write_text("[sender]\n")
    run = CliRunner()

    misspelt = run.invoke(main, ["templates", "lint"])
    monkeypatch.setenv("WATCHWORD_CONFIG", str(home / "gone.toml"))
    missing = run.invoke(main, ["templates", "lint"])

    assert misspelt.exit_code == 78
    assert "[sender]" in misspelt.stderr
    assert missing.exit_code == 78
    assert "gone.toml" in missing.stderr
