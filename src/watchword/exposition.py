"""Prometheus' text format: a family of samples, with what it is and what it means, as lines."""

from collections.abc import Iterable, Iterator, Mapping

from watchword.counts import Histogram

TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[Mapping[str, object], float | Histogram]  # labels and value


def lines_of(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> Iterator[str]:
    """Write one family; `kind` is counter, gauge or histogram."""
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        if isinstance(value, Histogram):
            yield from _histogram(name, labels, value)
        else:
            yield _sample(name, labels, value)


def _histogram(name: str, labels: Mapping[str, object], values: Histogram) -> Iterator[str]:
    under = 0
    for bound, count in zip((*values.bounds, "+Inf"), values.buckets, strict=True):
        under += count
        le = bound if isinstance(bound, str) else f"{bound:g}"
        yield _sample(f"{name}_bucket", {**labels, "le": le}, under)
    yield _sample(f"{name}_sum", labels, values.sum)
    yield _sample(f"{name}_count", labels, under)


def _sample(name: str, labels: Mapping[str, object], value: float) -> str:
    named = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items())
    return f"{name}{{{named}}} {value}" if named else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
