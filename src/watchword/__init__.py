"""watchword: phone verification that a team can own and prove."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchword.otp_model import OTP_Model

__version__ = "0.1.0"
__all__ = ["OTP_Model", "__version__"]


def __getattr__(name: str) -> Any:
    # The SDK takes a quarter of a second to import, so only who uses the class pays for it.
    if name == "OTP_Model":
        from watchword.otp_model import OTP_Model

        return OTP_Model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
