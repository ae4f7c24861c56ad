"""A login by phone with Flask and `OTP_Model`: run it with `flask --app app run`."""

from flask import Flask, request, session

from watchword import OTP_Model

app = Flask(__name__)
app.secret_key = "change me"


@app.post("/login")
def login() -> str:
    """Send a code. Too early a second time, the class raises TooManyRequests: Flask answers 429."""
    phone = request.form["phone"]
    OTP_Model(phone).guarded_verification(unique_id=phone, user_id="login")
    return "a code is on its way"


@app.post("/code")
def code() -> str:
    """Let the person in. For a code that is not right the class raises Forbidden: a 403."""
    phone = request.form["phone"]
    OTP_Model(phone).verification_check(request.form["code"])
    session["phone"] = phone
    return "welcome"
