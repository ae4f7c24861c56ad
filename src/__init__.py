"""The checkout's doors: `src.models._2FA` and `src.schemas.svretries`, as documented."""
