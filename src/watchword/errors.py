"""Every error watchword raises, as one tree.

    WatchwordError
    ├── ConfigurationError       a setting is missing, unknown or contradicts another
    ├── StoreError               the store could not answer; nothing was half done
    ├── DeliveryFailed           no sender took the message, and none will
    └── Refusal                  the rules said no; nothing was changed
        ├── NotAuthenticated     no credentials, or wrong ones
        ├── InvalidParameter     a parameter is missing or not acceptable
        ├── MissingAddress       a check names neither `to` nor a verification
        ├── NotFound             there is no such thing (any more)
        ├── TooManySends         five codes were sent for this verification
        ├── TooManyChecks        the guesses are used up
        └── TooSoon              the resend wait is not over

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


class DeliveryFailed(WatchwordError):
    """No sender took the message and none will: nothing was sent."""


class Refusal(WatchwordError):
    """The rules said no, and nothing was changed."""


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


class NotFound(Refusal):
    """There is no such thing: it never was, it has expired, or it was used."""

    def __init__(self, what: str = "verification") -> None:
        super().__init__(f"no such {what}; it was never made, has expired or was used")
        self.what = what


class TooManySends(Refusal):
    """The verification has had all its sends; wait until it expires, or cancel it."""

    def __init__(self) -> None:
        super().__init__("max send attempts reached; wait until it expires or cancel it")


class TooManyChecks(Refusal):
    """The guesses for this code, or for this phone, are used up."""

    def __init__(self) -> None:
        super().__init__("max check attempts reached")


class TooSoon(Refusal):
    """The resend wait is not over: `expires` is when it ends, `retry_after` whole seconds."""

    def __init__(self, *, expires: datetime, retry_after: int) -> None:
        super().__init__(f"wait {retry_after} seconds before asking for another code")
        self.expires = expires
        self.retry_after = retry_after
