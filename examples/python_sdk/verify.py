"""Twilio's Python SDK, pointed at a watchword server by one line."""

import os

from twilio.rest import Client

client = Client(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
client.verify.base_url = os.environ["TWILIO_VERIFY_BASE_URL"]  # such as http://127.0.0.1:8000
verify = client.verify.v2.services(os.environ["TWILIO_SERVICE_SID"])

phone = "+237650000000"
print(verify.verifications.create(to=phone, channel="sms").status)
code = input("code: ")
print(verify.verification_checks.create(to=phone, code=code).status)
