"""The decisions, pure: what is stored, what was asked, and now, in; what to store next, out."""
