"""The documented settings, read from the environment: `settings.X` and `settings.Configurations.X`.

Durations are in milliseconds. Put a module of this name of your own before this one on the path
and it is used instead; a value set here, as a test does, is honoured in either form.
"""

from typing import Any

from watchword.config import documented

NAMES = (
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_SERVICE_SID",
    "TWILIO_VERIFY_BASE_URL",
    "FIRST_RESEND_DURATION",
    "SECOND_RESEND_DURATION",
    "THIRD_RESEND_DURATION",
    "FOURTH_RESEND_DURATION",
)


class _FromEnvironment(type):
    def __getattr__(cls, name: str) -> Any:
        return globals()[name] if name in globals() else _read(name)


class Configurations(metaclass=_FromEnvironment):
    """The same settings as attributes of a class."""


def __getattr__(name: str) -> Any:
    return vars(Configurations)[name] if name in vars(Configurations) else _read(name)


def _read(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"there is no setting {name}")
    return documented(name)
