"""The inbox's controls: the clock turned and faults switched on, for every process at once."""

from dataclasses import dataclass

import msgspec
from starlette.datastructures import FormData

from watchword.development.clock import TurnedClock
from watchword.development.controls import Controls, Faults, SenderFault
from watchword.engine import Engine

STEPS = ((120, "+2 min"), (300, "+5 min"), (900, "+15 min"), (86400, "+24 h"))
FAULTS = (
    ("", "arrives"),
    (SenderFault.FAILS.value, "fails, and is known to"),
    (SenderFault.TIMES_OUT.value, "is lost: nobody knows"),
    (SenderFault.TIMES_OUT_AFTER_SENDING.value, "arrives, but nobody knows"),
    (SenderFault.DUPLICATES.value, "arrives twice"),
    (SenderFault.REORDERS.value, "or the next one first"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the controls stand."""

    turned: str
    sender: str
    delay: str
    steps: tuple[tuple[int, str], ...] = STEPS
    sender_faults: tuple[tuple[str, str], ...] = FAULTS

    @property
    def faulty(self) -> bool:
        return bool(self.sender) or self.delay != "0"


def controls_of(engine: Engine) -> Controls | None:
    """Return the controls that an engine's clock follows, or None when it has none."""
    return engine.clock.controls if isinstance(engine.clock, TurnedClock) else None


def shown(controls: Controls) -> Shown:
    """Return what to draw."""
    state = controls.read()
    minutes = round(state.offset_seconds / 60)
    turned = f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
    return Shown(
        turned=turned if minutes else "",
        sender=state.faults.sender.value if state.faults.sender else "",
        delay=f"{state.faults.delay_seconds:g}",
    )


def faults_from(form: FormData, standing: Faults) -> Faults:
    """Read the form; what cannot be read leaves the faults as they stand."""
    asked = {"sender": form.get("sender") or None, "delay_seconds": form.get("delay") or 0}
    try:
        return msgspec.convert(asked | {"store": standing.store}, Faults, strict=False)
    except msgspec.ValidationError:
        return standing
