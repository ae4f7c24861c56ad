"""The events that webhooks hear of: Twilio's own, and ours about verifications and messages."""

FACTOR_EVENTS = (  # Twilio's; nothing raises them until there are factors
    "factor.created",
    "factor.verified",
    "factor.deleted",
    "challenge.approved",
    "challenge.denied",
)
VERIFICATION_EXPIRED = "verification.expired"
VERIFICATION_EVENTS = (
    "verification.pending",
    "verification.approved",
    "verification.canceled",
    VERIFICATION_EXPIRED,
    "verification.max_attempts_reached",
)
MESSAGE_EVENTS = (
    "message.sent",
    "message.unknown",
    "message.delivered",
    "message.read",
    "message.undelivered",
    "message.failed",
)
ALL = "*"
EVENT_TYPES = (ALL, *FACTOR_EVENTS, *VERIFICATION_EVENTS, *MESSAGE_EVENTS)
