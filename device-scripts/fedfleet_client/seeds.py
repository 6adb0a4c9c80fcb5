"""The lab's private random numbers, bit for bit as src-main/federation/random.ts draws them.

Generator: xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021),
its state filled by SplitMix32-style steps with MurmurHash3's finaliser (Steele, Lea & Flood, OOPSLA 2014).
"""

import math
from typing import List, MutableSequence, Union

_MASK = 0xFFFFFFFF
_TWO_32 = 4_294_967_296


def _mix(value: int) -> int:
    """MurmurHash3's 32-bit finaliser."""
    h = value & _MASK
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & _MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & _MASK
    return h ^ (h >> 16)


class Random:
    """A generator for one purpose.

    seed: an integer; its low 32 bits count. Use `derive_seed` to make one from names and numbers.
    """

    def __init__(self, seed: int) -> None:
        counter = seed & _MASK
        state: List[int] = []
        for _ in range(4):
            counter = (counter + 0x9E3779B9) & _MASK
            state.append(_mix(counter))
        self._a, self._b, self._c, self._d = state

    def uint32(self) -> int:
        """The next 32 random bits."""
        a, b, c, d = self._a, self._b, self._c, self._d
        x = (b * 5) & _MASK
        x = ((x << 7) | (x >> 25)) & _MASK
        t = (b << 9) & _MASK
        c ^= a
        d ^= b
        self._b = b ^ c
        self._a = a ^ d
        self._c = c ^ t
        self._d = ((d << 11) | (d >> 21)) & _MASK
        return (x * 9) & _MASK

    def next(self) -> float:
        """Uniform on [0, 1) with 53 random bits."""
        high = self.uint32() >> 5
        low = self.uint32() >> 6
        return (high * 67_108_864 + low) / 9_007_199_254_740_992

    def int(self, n: int) -> int:
        """Uniform on 0 … n − 1 without modulo bias. ValueError unless n is in 1 … 2³²."""
        if not 1 <= n <= _TWO_32:
            raise ValueError("int needs a number from 1 to 2^32, got {}".format(n))
        limit = _TWO_32 - _TWO_32 % n
        x = self.uint32()
        while x >= limit:
            x = self.uint32()
        return x % n

    def normal(self) -> float:
        """Standard normal: Marsaglia's polar method; the second of each pair is dropped."""
        while True:
            x = 2 * self.next() - 1
            y = 2 * self.next() - 1
            s = x * x + y * y
            if 0 < s < 1:
                return x * math.sqrt((-2 * math.log(s)) / s)

    def shuffle(self, items: MutableSequence) -> MutableSequence:
        """Shuffles in place (Fisher–Yates) and returns the same sequence."""
        for i in range(len(items) - 1, 0, -1):
            j = self.int(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


def derive_seed(*parts: Union[str, int]) -> int:
    """A uint32 seed for one purpose, for example `derive_seed(recipe_seed, "epoch", 0)`; the same everywhere.

    Parts are texts and integers (of the lab's numbers, these are all that a client meets).
    """
    h = 0x811C9DC5
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, (str, int)):
            raise TypeError("a seed cannot be derived from {!r}".format(part))
        tag = b"s" if isinstance(part, str) else b"n"
        # a lone surrogate becomes U+FFFD, as in the lab
        text = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in str(part))
        for byte in tag + text.encode("utf-8") + b"\xff":
            h = ((h ^ byte) * 0x01000193) & _MASK
    return _mix(h)
