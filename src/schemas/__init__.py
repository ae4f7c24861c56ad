"""The documented tables."""
