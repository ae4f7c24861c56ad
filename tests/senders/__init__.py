"""The senders, each against a provider on loopback that speaks the real one's format."""
