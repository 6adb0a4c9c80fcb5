"""Values that src-main/federation/random.ts is pinned to as well (test/main/federation/random.test.ts)."""

import pytest

from fedfleet_client.seeds import Random, derive_seed


def test_the_generator_gives_the_labs_values():
    random = Random(1)
    assert [random.uint32() for _ in range(3)] == [2442144158, 3238099751, 3819917871]
    assert random.next() == 0.4900204574360133
    assert random.int(10) == 8
    assert random.normal() == -1.2118435377053631
    assert Random(7).shuffle([1, 2, 3, 4, 5, 6]) == [6, 4, 5, 2, 3, 1]


def test_seeds_are_derived_as_in_the_lab():
    assert derive_seed() == 2872998923
    assert derive_seed(1, "draw", 3) == 3012822281
    assert derive_seed(4294967295, "größe 🦊") == 3709935323


def test_what_cannot_be_drawn_is_refused():
    for n in (0, -1, 2**33):
        with pytest.raises(ValueError):
            Random(0).int(n)
    with pytest.raises(TypeError):
        derive_seed(0.5)


def test_a_bound_above_2_to_the_31_draws_without_bias():
    random = Random(5)
    drawn = [random.int(3_000_000_000) for _ in range(4000)]
    assert max(drawn) < 3_000_000_000
    assert abs(sum(n < 1_500_000_000 for n in drawn) - 2000) < 200
