"""T-37 under load: two real servers are led from one key to another, and every count is exact."""

from proofs.rotation import NEW, OLD, STEPS, Plan, rotate


def test_two_servers_are_led_to_a_new_key_under_load_and_nothing_is_lost(
    postgres_url: str,
) -> None:
    plan = Plan(seconds=0.3, first=(OLD, NEW), steps=STEPS[2:], last=())

    counts = list(rotate(postgres_url, plan))

    assert [count.what for count in counts if not count.ok] == []
