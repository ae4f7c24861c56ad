"""Webhooks on their way out: signed, and never to an address they must not reach."""
