"""The behaviour of Verify as one table of cases: each has a name, a source, what must happen."""

from watchword.conformance.around import AROUND
from watchword.conformance.checking import CHECKING, LOOKING, TIME
from watchword.conformance.starting import STARTING
from watchword.conformance.steps import Case

CASES: tuple[Case, ...] = (*STARTING, *CHECKING, *LOOKING, *TIME, *AROUND)
