"""A login by phone with Django and `OTP_Model`, in one file: `python app.py runserver`."""

import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.urls import path
from werkzeug.exceptions import HTTPException

from watchword import OTP_Model

if not settings.configured:
    settings.configure(
        SECRET_KEY="change me",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1", "testserver"],
        MIDDLEWARE=[f"{__name__}.answer_refusals"],
    )
    django.setup()


def answer_refusals(get_response):
    """Answer what `OTP_Model` raises: 403 for a wrong code, 429 inside a wait, 500 otherwise."""

    class Middleware:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_exception(self, request, exception):
            if isinstance(exception, HTTPException):
                return HttpResponse(exception.description, status=exception.code)
            return None

    return Middleware()


def login(request: HttpRequest) -> HttpResponse:
    """Send a code."""
    phone = request.POST["phone"]
    OTP_Model(phone).guarded_verification(unique_id=phone, user_id="login")
    return HttpResponse("a code is on its way")


def code(request: HttpRequest) -> HttpResponse:
    """Let the person in."""
    OTP_Model(request.POST["phone"]).verification_check(request.POST["code"])
    return HttpResponse("welcome")


urlpatterns = [path("login", login), path("code", code)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
