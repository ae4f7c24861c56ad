"""Segments: what a text is sent and billed as."""

import pytest

from watchword.ui.segments import Segments, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("é" * 160, Segments("GSM-7", 160, 1)),
        ("ê", Segments("UCS-2", 1, 1)),
        ("я" * 70, Segments("UCS-2", 70, 1)),
        ("я" * 71, Segments("UCS-2", 71, 2)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        ("😀" * 36, Segments("UCS-2", 72, 2)),
        ("", Segments("GSM-7", 0, 1)),
    ],
)
def test_a_text_is_counted_as_operators_count_it(text: str, expected: Segments) -> None:
    assert segments(text) == expected
