"""May this start be made at all: the channel, the country, the line, the amounts, the template."""

from watchword.errors import (
    AmountNeeded,
    AppHashNeedsSms,
    CallWithPsd2,
    ChannelOff,
    CountryBlocked,
    InvalidParameter,
    Landline,
    NoEmailSender,
    TemplateNeedsSms,
)
from watchword.mailbox import Address, Mailbox
from watchword.model import Channel, Details, Wording
from watchword.record import Record
from watchword.tenants import Service, ServiceSettings

SPOKEN_OR_SMS = (Channel.SMS, Channel.CALL)


class Wish(Record, frozen=True):
    """What a start asks for, as far as it may be refused before anything else is looked at."""

    address: Address
    channel: Channel
    wording: Wording
    details: Details
    risk_check: bool = True


def admit(service: Service, wish: Wish, served: frozenset[Channel], *, safe: bool) -> None:
    """Return when the start may go on; else refuse.

    A number in the safe list, or an SMS whose caller waives the risk check, may go to any country.
    """
    _fits(wish)
    if wish.channel not in served:
        raise NoEmailSender if wish.channel is Channel.EMAIL else ChannelOff
    _psd2(service.settings, wish)
    waived = not wish.risk_check and wish.channel is Channel.SMS
    if not safe and not waived and not _may_go(service.settings, wish.address.country):
        raise CountryBlocked
    skips = service.settings.skip_sms_to_landlines and wish.channel is Channel.SMS
    if skips and wish.address.line_type == "landline":
        raise Landline


def _fits(wish: Wish) -> None:
    by_mail = wish.channel is Channel.EMAIL
    if isinstance(wish.address, Mailbox) != by_mail:
        needed = "an e-mail address" if by_mail else "a phone number"
        raise InvalidParameter("To", f"the {wish.channel} channel takes {needed}")
    if wish.wording.app_hash is not None and wish.channel is not Channel.SMS:
        raise AppHashNeedsSms
    if wish.wording.template is not None and wish.channel not in SPOKEN_OR_SMS:
        raise TemplateNeedsSms


def _psd2(settings: ServiceSettings, wish: Wish) -> None:
    if not settings.psd2_enabled:
        return
    if wish.channel is Channel.CALL:
        raise CallWithPsd2
    if wish.channel is Channel.WHATSAPP:
        raise InvalidParameter("Channel", "whatsapp cannot be used with Psd2Enabled")
    if wish.details.amount is None or wish.details.payee is None:
        raise AmountNeeded


def _may_go(settings: ServiceSettings, country: str) -> bool:
    if not country:
        return True
    if settings.allowed_countries and country not in settings.allowed_countries:
        return False
    return country not in settings.blocked_countries
