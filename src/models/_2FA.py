"""`OTP_Model` under its documented import path, bound to the names of this module.

Every name imported here is looked up when it is needed, so replacing one of them, as a test
does, changes what the class uses. Settings come from the module `settings` that Python finds.
A replaced `datetime` may give naive local time, as `datetime.now()` does.
"""

import logging
import sys
from datetime import datetime, timedelta

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from werkzeug.exceptions import Forbidden, InternalServerError, TooManyRequests

import settings
from src.schemas.svretries import Svretries
from watchword import otp_model
from watchword.otp_model import SMSObject

__all__ = [
    "Client",
    "Forbidden",
    "InternalServerError",
    "OTP_Model",
    "SMSObject",
    "Svretries",
    "TooManyRequests",
    "TwilioRestException",
    "datetime",
    "logging",
    "timedelta",
]


class OTP_Model(otp_model.OTP_Model):  # noqa: N801  # the documented name
    __doc__ = otp_model.OTP_Model.__doc__

    _names = sys.modules[__name__]
    _settings = settings
