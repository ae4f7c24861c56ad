"""Templates: the operator's own texts, as a list to read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from watchword.commands.base import Context
from watchword.commands.reading import Reading
from watchword.record import Record
from watchword.store.base import Store
from watchword.texts.template import Template
from watchword.wire.http import Call, timestamp
from watchword.wire.paging import PARAMETERS as PAGING
from watchword.wire.paging import listing
from watchword.wire.parameters import Asked, Parameter, text

LIST = (Parameter("FriendlyName", text(), "only templates of this name"), *PAGING)
WRITTEN = datetime(2000, 1, 1, tzinfo=UTC)  # a file's texts have no dates of their own
FALLBACK = "en"


class Listed(Record, frozen=True):
    """A template with what a list sorts by."""

    template: Template
    created_at: datetime = WRITTEN

    @property
    def key(self) -> str:
        return self.template.sid


class ReadTemplates(Record, Reading[Sequence[Listed]], frozen=True):
    """List the templates of this installation, or the one of a name."""

    name: str | None

    def read(self, store: Store, context: Context) -> Sequence[Listed]:
        found = context.texts.templates.values()
        return [Listed(each) for each in found if self.name in (None, each.name)]


def list_all(asked: Asked) -> Call:
    """List the message templates that TemplateSid may name."""
    source = ReadTemplates(asked.get("FriendlyName"))
    return listing(asked, "templates", source, lambda each: show(each.template, asked))


def show(template: Template, asked: Asked) -> dict[str, Any]:
    """Show a Template resource, every key present."""
    default = FALLBACK if FALLBACK in template.texts else next(iter(template.texts))
    return {
        "sid": template.sid,
        "account_sid": asked.account_sid,
        "friendly_name": template.name,
        "channels": ["sms", "voice"],
        "translations": {
            tag: {
                "is_default_translation": tag == default,
                "status": "approved",
                "locale": tag,
                "text": words,
                "date_updated": timestamp(WRITTEN),
                "date_created": timestamp(WRITTEN),
            }
            for tag, words in template.texts.items()
        },
    }
