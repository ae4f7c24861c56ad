"""Every error watchword raises, as one tree.

    WatchwordError
    ├── ConfigurationError       a setting is missing, unknown or contradicts another
    ├── StoreError               the store could not answer; nothing was half done
    │   ├── UnfitValue           a value is too long for its column, or cannot be stored
    │   └── Overloaded           more is asked at once than can be answered in time
    ├── DeliveryFailed           no sender took the message, and none will
    └── Refusal                  the rules said no; nothing was changed
        ├── NotAuthenticated     no credentials, or wrong ones
        ├── InvalidParameter     a parameter is missing or not acceptable
        ├── MissingAddress       a check names neither `to` nor a verification
        ├── NotFound             there is no such thing (any more)
        ├── TooManySends         five codes were sent for this verification
        ├── TooManyChecks        the guesses are used up
        ├── TooSoon              the resend wait is not over
        ├── RateLimited          a bucket of the service's is full
        ├── Exists               a thing of that name is there already
        │   ├── RateLimitExists · BucketExists · MessagingConfigurationExists · SafeNumberExists
        ├── TooMany              a service holds no more of them
        │   ├── TooManyRateLimits · TooManyBuckets · TooManyWebhooks
        ├── BadUniqueName        a rate limit's name holds what it may not
        ├── NotServed            the service or the channel does not do that
        │   ├── AmountNeeded · CallWithPsd2 · SnaWithPsd2 · AppHashNeedsSms
        │   ├── TemplateNeedsSms · TemplateNotFound · SnaUnavailable
        │   ├── NoEmailSender · ChannelOff · Landline
        │   └── CountryBlocked   the country may not be sent to
        └── PageRefused          the hosted page cannot take this step

The class says what happened, the attributes say with what, the message says what to do next.
No message holds a code or a phone number.
"""

from datetime import datetime


class WatchwordError(Exception):
    """Stand at the root of everything watchword raises on purpose."""


class ConfigurationError(WatchwordError):
    """A setting is missing, unknown or contradicts another; `name` says which."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name


class StoreError(WatchwordError):
    """The store could not answer. Nothing was half done; the same call may be made again."""


class UnfitValue(StoreError):
    """A value is too long for its column, or holds what a database cannot store."""

    def __init__(self) -> None:
        super().__init__("the store cannot hold a value; shorten it, or take NUL characters out")


class Overloaded(StoreError):
    """More is asked at once than can be answered in time. Nothing was begun; ask again soon."""

    def __init__(self) -> None:
        super().__init__("too many requests at once; try again in a moment")


class DeliveryFailed(WatchwordError):
    """No sender took the message and none will: nothing was sent."""


class Refusal(WatchwordError):
    """The rules said no, and nothing was changed; `words` is what a class has to say of itself."""

    words = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.words)


class NotAuthenticated(Refusal):
    """The request carries no credentials, or wrong ones."""

    def __init__(self) -> None:
        super().__init__("authenticate with an account sid and its auth token")


class InvalidParameter(Refusal):
    """A parameter is missing or not acceptable; `name` is its name as Twilio spells it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class MissingAddress(Refusal):
    """A check names neither the address nor the verification."""

    def __init__(self) -> None:
        super().__init__("either To or VerificationSid is needed")


PASSING = ("verification", "page", "result")  # what ends by itself


class NotFound(Refusal):
    """There is no such thing: it never was, it has expired, or it was used."""

    def __init__(self, what: str = "verification") -> None:
        ends = "has expired or was used" if what in PASSING else "was deleted"
        super().__init__(f"no such {what}; it was never made, or {ends}")
        self.what = what


class TooManySends(Refusal):
    """The verification has had all its sends; wait until it expires, or cancel it."""

    def __init__(self) -> None:
        super().__init__("max send attempts reached; wait until it expires or cancel it")


class TooManyChecks(Refusal):
    """The guesses for this code are used up; `for_life` those of this phone, whatever the code."""

    def __init__(self, *, for_life: bool = False) -> None:
        super().__init__(
            "max check attempts reached for this phone; see: watchword phone reset"
            if for_life
            else "max check attempts reached; wait ten minutes, then ask for a new code"
        )
        self.for_life = for_life


class TooSoon(Refusal):
    """The resend wait is not over: `expires` is when it ends, `retry_after` whole seconds."""

    def __init__(self, *, expires: datetime, retry_after: int) -> None:
        super().__init__(f"wait {retry_after} seconds before asking for another code")
        self.expires = expires
        self.retry_after = retry_after


class RateLimited(Refusal):
    """A bucket is full: `name` is its rate limit, `retry_after` whole seconds."""

    def __init__(self, name: str, *, retry_after: int) -> None:
        super().__init__(f"too many starts; wait {retry_after} seconds")
        self.name = name
        self.retry_after = retry_after


class Exists(Refusal):
    """A thing of that name is there already."""


class RateLimitExists(Exists):
    """The service has a rate limit of that name."""

    words = "a rate limit with this UniqueName exists; choose another"


class BucketExists(Exists):
    """The rate limit has a bucket of that interval."""

    words = "a bucket with this Interval exists; change that one"


class MessagingConfigurationExists(Exists):
    """The service has a configuration for that country."""

    words = "a messaging configuration for this country exists; change that one"


class SafeNumberExists(Exists):
    """The number is in the safe list."""

    words = "the number is in the safe list already"


class TooMany(Refusal):
    """A service holds no more of them."""


class TooManyRateLimits(TooMany):
    """The service has all the rate limits it may have."""

    words = "the service has all the rate limits it may have; delete one first"


class TooManyBuckets(TooMany):
    """The rate limit has all the buckets it may have."""

    words = "the rate limit has all the buckets it may have; delete one first"


class TooManyWebhooks(TooMany):
    """The service has all the webhooks it may have."""

    words = "the service has all the webhooks it may have; delete one first"


class BadUniqueName(Refusal):
    """A rate limit's name holds what it may not."""

    words = "UniqueName holds letters, digits, dashes, underscores and dots"


class NotServed(Refusal):
    """The service, or the channel, does not do that."""


class AmountNeeded(NotServed):
    """The service has PSD2 on, and the request lacks what is paid, or to whom."""

    words = "Amount and Payee are needed where the service has Psd2Enabled"


class CallWithPsd2(NotServed):
    """PSD2 does not go by voice."""

    words = "the call channel cannot be used where the service has Psd2Enabled"


class SnaWithPsd2(NotServed):
    """PSD2 does not go by a silent check."""

    words = "the sna channel cannot be used where the service has Psd2Enabled"


class AppHashNeedsSms(NotServed):
    """Only an SMS ends with an app hash."""

    words = "AppHash goes with the sms channel only"


class TemplateNeedsSms(NotServed):
    """Templates are for SMS and calls."""

    words = "TemplateSid goes with the sms and call channels only"


class TemplateNotFound(NotServed):
    """There is no such template."""

    words = "there is no such template; see /v2/Templates"


class SnaUnavailable(NotServed):
    """A silent check needs the networks' help, which a server of one's own does not have."""

    words = "the sna channel is not served; use sms"


class NoEmailSender(NotServed):
    """No sender delivers e-mail."""

    words = "the email channel needs a sender for e-mail"


class ChannelOff(NotServed):
    """No sender delivers on that channel."""

    words = "no sender is set up for this channel"


class Landline(NotServed):
    """An SMS would go to a landline, and the service skips those."""

    words = "SMS is not sent to landlines by this service"


class CountryBlocked(NotServed):
    """The service does not send to the number's country."""

    words = "this service does not send to the number's country"


class PageRefused(Refusal):
    """The hosted page cannot take this step; `reason` is the name of the words that say why."""

    def __init__(self, reason: str, *, until: datetime | None = None) -> None:
        super().__init__(f"the hosted page is not at this step: {reason}")
        self.reason = reason
        self.until = until
