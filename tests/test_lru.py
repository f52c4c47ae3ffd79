"""What is remembered: bounded, and the least recently used goes first. Of reading through it: tests/http/contract."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from aureum.lru import Lru

steps = st.tuples(st.sampled_from(("find", "keep", "forget")), st.integers(0, 6), st.text(max_size=5))


@given(steps=st.lists(steps, max_size=60), limit=st.integers(0, 9), by_length=st.booleans())
def test_the_least_recently_used_of_too_much_is_forgotten(
    steps: Sequence[tuple[str, int, str]], limit: int, by_length: bool
) -> None:
    lru: Lru[int, str] = Lru(limit, len) if by_length else Lru(limit)
    expected: list[tuple[int, str]] = []
    """The most recently used last."""

    def size() -> int:
        return sum(len(value) for _, value in expected) if by_length else len(expected)

    for step, key, value in steps:
        known = dict(expected)
        match step:
            case "find":
                assert lru.find(key) == known.get(key)
                if key in known:
                    expected = [one for one in expected if one[0] != key] + [(key, known[key])]
            case "forget":
                lru.forget(key)
                expected = [one for one in expected if one[0] != key]
            case "keep":
                lru.keep(key, value)
                expected = [one for one in expected if one[0] != key]
                if (len(value) if by_length else 1) <= limit:
                    expected.append((key, value))
                while size() > limit:
                    del expected[0]
        assert list(lru) == [key for key, _ in expected]
        assert lru.used == size() <= limit
