"""The Twilio dialect: forms become commands, records become JSON, refusals become error bodies."""
