"""`watchword templates`: list the texts, show one as it arrives, look all of them over."""

import sys
from dataclasses import asdict

import click

from watchword.terminal import SAID_NO, Commands, explained, fail, print_json, settings_now


@click.group(cls=Commands)
def templates() -> None:
    """List, preview and check the texts of messages."""


@templates.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@explained
def list_texts(as_json: bool) -> None:
    """List the languages and your own templates."""
    from watchword.runtime import open_texts
    from watchword.texts.languages import languages

    own = open_texts(settings_now()).templates.values()
    if as_json:
        print_json(
            {
                "languages": {tag: language.name for tag, language in languages().items()},
                "templates": [
                    {"name": t.name, "sid": t.sid, "languages": sorted(t.texts)} for t in own
                ],
            }
        )
        return
    for tag, language in languages().items():
        click.echo(f"{tag:8} {language.name:22} {language.code}")
    for template in own:
        click.echo(f"{template.name}  {template.sid}  {', '.join(sorted(template.texts))}")


@templates.command()
@click.option("--locale", help="A language tag such as fr or pt-BR.")
@click.option("--to", help="A number, for its country's language.")
@click.option("--template", help="One of your own, by name.")
@click.option("--code", default="123456", show_default=True, help="The code to show.")
@click.option("--name", help="The sender's name; else WATCHWORD_FRIENDLY_NAME.")
@click.option("--app-hash", help="The hash of an Android app.")
@click.option("--do-not-share", is_flag=True, help="With the warning.")
@explained
def preview(
    locale: str | None,
    to: str | None,
    template: str | None,
    code: str,
    name: str | None,
    app_hash: str | None,
    do_not_share: bool,
) -> None:
    """Show a message as it arrives, as it is said, and what it costs."""
    from watchword.model import Wording
    from watchword.phone import parse
    from watchword.runtime import open_texts
    from watchword.texts.languages import find_language
    from watchword.texts.segments import measure
    from watchword.texts.write import Occasion

    settings = settings_now()
    texts = open_texts(settings)
    if locale and find_language(locale) is None:
        fail(f"there is no language {locale}; see: watchword templates list", SAID_NO)
    if template and texts.template(template) is None:
        fail(f"there is no template {template}; see: watchword templates list", SAID_NO)
    country = parse(to).country if to else ""
    text = texts.write(
        Occasion(name or settings.friendly_name, code, country, ttl_minutes=10),
        Wording(locale, None, template, app_hash, do_not_share),
    )
    size = measure(text.body)
    click.echo(text.body)
    click.echo(
        f"{text.language.tag} · {size.encoding} · {size.units} units · {size.segments} segment(s)",
        err=True,
    )
    click.echo(f"said in a call: {' '.join(text.spoken)}", err=True)


@templates.command()
@click.option("--json", "as_json", is_flag=True, help="Print every line as JSON.")
@explained
def lint(as_json: bool) -> None:
    """Check every text with a ten-digit code; exits with 1 when one has a fault."""
    from watchword.runtime import open_texts
    from watchword.texts.lint import lint as look_over

    settings = settings_now()
    lines = look_over(open_texts(settings), settings.friendly_name)
    if as_json:
        print_json([asdict(line) for line in lines])
    else:
        for line in lines:
            click.echo(
                f"{'FAIL' if line.faults else 'ok  '}  {line.template:10} {line.language:8} "
                f"{line.form:13} {line.encoding:6} {line.units:4} units  {line.segments} segment(s)"
            )
            for fault in line.faults:
                click.echo(f"      {fault}")
    if any(line.faults for line in lines):
        sys.exit(SAID_NO)
