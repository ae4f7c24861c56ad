"""Where a case's behaviour is written: Twilio's papers, by name."""

CHECKS = "Verify docs: verification check"
LIMITS = "Verify docs: rate limits and timeouts"
OBSERVED = "observed against Twilio"
SPEC = "Twilio's OpenAPI specification of Verify v2"
VERIFICATIONS = "Verify docs: verification"
RETRIES = "SDKs retry a 429"


def error(code: int) -> str:
    """Name an entry of Twilio's error dictionary as a source."""
    return f"Twilio error {code}"
