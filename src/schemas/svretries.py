"""`Svretries`, the table of resend counters, under its documented import path."""

from watchword.store.svretries import Svretries

__all__ = ["Svretries"]
