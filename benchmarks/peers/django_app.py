"""django-phone-verify in the smallest Django project; gunicorn runs it in a venv of its own.

Its backend sends nothing and keeps the code; a header of the answer brings it to the load client,
as the phone would.
"""

import os
import sys
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

settings.configure(
    SECRET_KEY="a key for a benchmark on the loopback, 32 bytes or more",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["rest_framework", "phone_verify"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DATABASE"],
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                "timeout": 20,
            },
        }
    },
    PHONE_VERIFICATION={
        "BACKEND": f"{__name__}.Backend",
        "OPTIONS": {},
        "TOKEN_LENGTH": 6,
        "MESSAGE": "{app}: {security_code}",
        "APP_NAME": "Bench",
        "SECURITY_CODE_EXPIRATION_SECONDS": 600,
        "VERIFY_SECURITY_CODE_ONLY_ONCE": True,
    },
)
django.setup()

from phone_verify.backends.base import BaseBackend  # noqa: E402  # after the settings

urlpatterns = [path("", include("phone_verify.urls"))]
codes: dict[str, str] = {}


class Backend(BaseBackend):  # type: ignore[misc]
    """Keep the code."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.exception_class = OSError

    def send_sms(self, number: str, message: str) -> None:
        codes["last"] = message.rpartition(" ")[2]

    def send_bulk_sms(self, numbers: list[str], message: str) -> None:
        """Send none."""


django_answers = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer as Django does, with the code of this very request beside it."""
    codes.clear()  # a worker has one thread, so a request is alone in it

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        return start_response(status, [*headers, ("X-Code", codes.get("last", ""))], *more)

    return django_answers(environ, start)


if __name__ == "__main__":
    call_command("migrate", verbosity=0, run_syncdb=True)
    sys.exit(0)
