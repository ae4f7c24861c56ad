"""Sids: of Twilio's form, never the same, and in the order they were made."""

import re
import time
from itertools import pairwise

from watchword.sids import new_nonce, new_sid


def test_a_sid_is_its_prefix_and_32_digits() -> None:
    assert re.fullmatch(r"VE[0-9a-f]{32}", new_sid("VE"))
    assert re.fullmatch(r"[0-9a-f]{32}", new_nonce())


def test_no_sid_and_no_nonce_is_made_twice() -> None:
    made = [new_sid("VE") for _ in range(5_000)] + [new_nonce() for _ in range(5_000)]

    assert len(set(made)) == 10_000


def test_sids_come_in_the_order_of_their_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    moments = [int(new_sid("VE")[2:14], 16) for _ in range(1_000)]
    after = time.time_ns() // 1_000_000

    assert all(earlier <= later for earlier, later in pairwise([before, *moments, after]))
