"""Random mutations of files: bits, numbers at their limits, parts removed, doubled and moved."""

import random
import re

_LIMITS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TEXTS = (
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"true",
    b"[" * 5000,
)


def mutated(data: bytes, chance: random.Random, text: bool = False) -> bytes:
    """Apply one to eight mutations.

    Args:
        data: What a file holds.
        chance: Decides which mutations and where.
        text: Whether half of the mutations replace a whole word.
    """
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if text and chance.random() < 0.5:
            _change_word(changed, chance)
        else:
            chance.choice((_flip, _limit, _cut, _drop, _double, _noise))(changed, chance)
    return bytes(changed)


def _offset(data: bytearray, chance: random.Random) -> int:
    """A random offset, in half of the cases near either end, where headers and indices lie."""
    if chance.random() < 0.5 or len(data) < 2000:
        return chance.randrange(max(1, len(data)))
    near = chance.randrange(1000)
    return near if chance.random() < 0.5 else len(data) - 1 - near


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[_offset(data, chance)] ^= 1 << chance.randrange(8)


def _limit(data: bytearray, chance: random.Random) -> None:
    offset, size = _offset(data, chance), chance.choice((1, 2, 4, 8))
    value = chance.choice(_LIMITS) & (1 << 8 * size) - 1
    data[offset : offset + size] = value.to_bytes(size, chance.choice(("big", "little")))


def _cut(data: bytearray, chance: random.Random) -> None:
    if chance.random() < 0.3:
        del data[_offset(data, chance) :]


def _drop(data: bytearray, chance: random.Random) -> None:
    offset = _offset(data, chance)
    del data[offset : offset + chance.choice((1, 4, 64, 1000))]


def _double(data: bytearray, chance: random.Random) -> None:
    offset, size = _offset(data, chance), chance.choice((1, 8, 64, 1000))
    data[offset:offset] = data[offset : offset + size]


def _noise(data: bytearray, chance: random.Random) -> None:
    offset, size = _offset(data, chance), chance.choice((4, 32, 500))
    data[offset : offset + size] = chance.randbytes(size)


def _change_word(data: bytearray, chance: random.Random) -> None:
    words = list(re.finditer(rb'-?[\d.]+|"[^"]*"|\w+', data))
    if words:
        word = chance.choice(words)
        data[word.start() : word.end()] = chance.choice((*_TEXTS, chance.choice(words)[0]))
