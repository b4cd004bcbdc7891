"""One pass over the bytes of request events, compiled: what is plainly valid becomes numbers.

Whatever is unusual (an escape, a letter beyond ASCII, a nested value, a fraction, a key twice, a prompt's text, and
anything invalid) is left to `detectors.request`, event by event: this code only has to be right about what it accepts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from detectors.scan.fields import (
    ADDRESS,
    ANY_NUMBER,
    BIT,
    BOOLEAN,
    HASH,
    LANGUAGE,
    LIST,
    LISTED,
    NEVER,
    NUMBER,
    SIMHASH,
    SLOTS,
    TEXT,
    Table,
)
from detectors.scan.xxh64 import load, xxh64

_LOW, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_SPACES, _QUOTES = np.uint64(0x2020202020202020), np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
DIGITS = 18
LONGEST_ADDRESS = 64
FAILED = -1
QUOTE, BACKSLASH, COLON, COMMA, MINUS, DOT, ZERO, NINE = 0x22, 0x5C, 0x3A, 0x2C, 0x2D, 0x2E, 0x30, 0x39
OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = 0x7B, 0x7D, 0x5B, 0x5D


_called = compiled()
"""A function of its own in the compiled code: called from several places, and short of arguments."""


@_called
def _past_space(buffer: NDArray, place: int, end: int) -> int:
    while place < end and buffer[place] <= 0x20:
        byte = buffer[place]
        if byte != 0x20 and byte != 0x0A and byte != 0x0D and byte != 0x09:
            return place
        place += 1
    return place


@_called
def _end_of_text(buffer: NDArray, place: int, end: int) -> int:
    """Return where the quotation mark stands that ends a text of plain ASCII, `FAILED` for any other text."""
    while place + 8 <= end:
        word = load(buffer, place)
        quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
        found = ((word - _SPACES) | (quotes - _LOW) & ~quotes | (backslashes - _LOW) & ~backslashes | word) & _HIGH
        if found:
            break
        place += 8
    while place < end:
        byte = buffer[place]
        if byte == QUOTE:
            return place
        if byte < 0x20 or byte >= 0x80 or byte == BACKSLASH:
            return FAILED
        place += 1
    return FAILED


@_called
def _same(buffer: NDArray, place: int, text: NDArray, start: int, length: int) -> bool:
    done = 0
    while done + 8 <= length:
        if load(buffer, place + done) != load(text, start + done):
            return False
        done += 8
    if done == length:
        return True
    mask = _ALL >> np.uint64(8 * (8 - (length - done)))
    return (load(buffer, place + done) ^ load(text, start + done)) & mask == np.uint64(0)


@_called
def _field(
    buffer: NDArray, start: int, length: int, slots: NDArray, lengths: NDArray, starts: NDArray, text: NDArray
) -> int:
    """Return the number of a key, −1 for an unknown one."""
    if length == 0:
        return -1
    first, middle, last = buffer[start], buffer[start + length // 2], buffer[start + length - 1]
    slot = (length + 7 * np.int64(first) + 31 * np.int64(middle) + 13 * np.int64(last)) % SLOTS
    while slots[slot] >= 0:
        field = slots[slot]
        if lengths[field] == length and _same(buffer, start, text, starts[field], length):
            return field
        slot = (slot + 1) % SLOTS
    return -1


@_called
def _number(buffer: NDArray, place: int, end: int) -> tuple[int, Any]:
    """Return where an integer of at most `DIGITS` digits ends, `FAILED` for any other, and the number."""
    negative = buffer[place] == MINUS
    if negative:
        place += 1
    start, number = place, np.int64(0)
    while place < end and ZERO <= buffer[place] <= NINE:
        number = number * 10 + np.int64(buffer[place] - ZERO)
        place += 1
        if place - start > DIGITS:
            return FAILED, number
    if place == start or (buffer[start] == ZERO and (place - start > 1 or negative)):
        return FAILED, number
    if place < end:
        byte = buffer[place]
        if byte != COMMA and byte != CLOSE and byte > 0x20:
            return FAILED, number
    return place, -number if negative else number


@_called
def _is_word(buffer: NDArray, place: int, end: int, one: int, two: int, three: int, four: int) -> bool:
    if place + 4 > end:
        return False
    return (
        buffer[place] == one and buffer[place + 1] == two and buffer[place + 2] == three and buffer[place + 3] == four
    )


@_called
def _past_word(buffer: NDArray, place: int, end: int) -> tuple[int, int]:
    """Return where true, false or null ends, and which it is (1, 0, −1); `FAILED` for anything else."""
    if _is_word(buffer, place, end, 0x74, 0x72, 0x75, 0x65):
        return place + 4, 1
    if _is_word(buffer, place, end, 0x6E, 0x75, 0x6C, 0x6C):
        return place + 4, -1
    if place + 5 <= end and buffer[place] == 0x66 and _is_word(buffer, place + 1, end, 0x61, 0x6C, 0x73, 0x65):
        return place + 5, 0
    return FAILED, 0


@_called
def _past_unknown(buffer: NDArray, place: int, end: int) -> int:
    """Return where the plain value of an unknown key ends, `FAILED` where it is not plain."""
    byte = buffer[place]
    if byte == QUOTE:
        place = _end_of_text(buffer, place + 1, end)
        return place + 1 if place >= 0 else FAILED
    if byte == MINUS or ZERO <= byte <= NINE:
        place, _ = _number(buffer, place, end)
        return place
    place, _ = _past_word(buffer, place, end)
    return place


@_called
def _digits16(buffer: NDArray, start: int) -> tuple[bool, np.uint64]:
    """Return whether 16 hexadecimal digits stand there, and their number."""
    number = np.uint64(0)
    for place in range(start, start + 16):
        byte = buffer[place]
        if ZERO <= byte <= NINE:
            digit = byte - ZERO
        elif 0x61 <= byte <= 0x66:
            digit = byte - 0x57
        elif 0x41 <= byte <= 0x46:
            digit = byte - 0x37
        else:
            return False, number
        number = number << np.uint64(4) | np.uint64(digit)
    return True, number


@_called
def _language(buffer: NDArray, start: int, end: int) -> np.uint64:
    """Return the bit of a language tag's first part; 0 when it is not in small letters."""
    place = start
    while place < end and buffer[place] != MINUS:
        if 0x41 <= buffer[place] <= 0x5A:
            return np.uint64(0)
        place += 1
    return np.uint64(1) << (xxh64(buffer, start, place) >> np.uint64(58)) if place > start else np.uint64(0)


@_called
def _network(buffer: NDArray, start: int, end: int, scratch: NDArray) -> np.uint64:
    """Return the hash of an address's network, as `columns.network` names it."""
    last, sixth, double = -1, False, -1
    for place in range(start, end):
        if buffer[place] == DOT:
            last = place
        elif buffer[place] == COLON:
            if double < 0 and place + 1 < end and buffer[place + 1] == COLON:
                double = place
            sixth = True
    if not sixth:
        return xxh64(buffer, start, last if last > start else end)
    head = double if double >= 0 else end
    size, groups, place = 0, 0, start
    while groups < 3 and (place < head or (groups > 0 and place == head)):
        stop = place
        while stop < head and buffer[stop] != COLON:
            stop += 1
        while place < stop and buffer[place] == ZERO:
            place += 1
        if groups > 0:
            scratch[size] = COLON
            size += 1
        if place == stop:
            scratch[size] = ZERO
            size += 1
        while place < stop:
            letter = buffer[place]
            scratch[size] = letter + 32 if 0x41 <= letter <= 0x5A else letter
            size += 1
            place += 1
        groups += 1
        if stop >= head:
            break
        place = stop + 1
    while double >= 0 and groups < 3:
        if groups > 0:
            scratch[size] = COLON
            size += 1
        scratch[size] = ZERO
        size += 1
        groups += 1
    return xxh64(scratch, 0, size)


@_called
def _list(buffer: NDArray, place: int, end: int, names: NDArray) -> tuple[int, Any]:
    """Return where a list of plain texts ends, `FAILED` for any other, and the bits of its `names`."""
    mask = np.uint16(0)
    place = _past_space(buffer, place, end)
    if place < end and buffer[place] == CLOSE_LIST:
        return place + 1, mask
    while place < end and buffer[place] == QUOTE:
        stop = _end_of_text(buffer, place + 1, end)
        if stop < 0:
            return FAILED, mask
        number = xxh64(buffer, place + 1, stop)
        for bit in range(len(names)):
            if names[bit] == number:
                mask |= np.uint16(1 << bit)
        place = _past_space(buffer, stop + 1, end)
        if place >= end:
            return FAILED, mask
        if buffer[place] == CLOSE_LIST:
            return place + 1, mask | np.uint16(1 << LISTED)
        if buffer[place] != COMMA:
            return FAILED, mask
        place = _past_space(buffer, place + 1, end)
    return FAILED, mask


@inlined
def _text(
    buffer: NDArray,
    start: int,
    stop: int,
    field: int,
    table: Table,
    row: int,
    hashes: NDArray,
    places: NDArray,
    scratch: NDArray,
) -> bool:
    """Keep what is wanted of a text; return whether that could be done."""
    kind, column = table.kind[field], table.column[field]
    if stop == start or stop - start > table.most[field]:
        return False
    if kind in (TEXT, HASH):
        hashes[row, column] = xxh64(buffer, start, stop)
    elif kind == BIT:
        hashes[row, column] = np.uint64(1) << (xxh64(buffer, start, stop) >> np.uint64(58))
    elif kind == LANGUAGE:
        hashes[row, column] = _language(buffer, start, stop)
        return hashes[row, column] != np.uint64(0)
    elif kind == SIMHASH:
        good, number = _digits16(buffer, start) if stop - start == 16 else (False, np.uint64(0))
        hashes[row, column] = number
        return good
    elif kind == ADDRESS:
        if stop - start > LONGEST_ADDRESS:
            return False
        hashes[row, column] = _network(buffer, start, stop, scratch)
    if kind in (TEXT, ADDRESS):
        places[row, column, 0], places[row, column, 1] = start, stop
    return True


@inlined
def _value(
    buffer: NDArray,
    place: int,
    end: int,
    field: int,
    table: Table,
    row: int,
    hashes: NDArray,
    places: NDArray,
    numbers: NDArray,
    lists: NDArray,
    scratch: NDArray,
) -> int:
    """Keep the value of a known key; return where it ends, `FAILED` where it is unusual."""
    kind = table.kind[field]
    byte = buffer[place]
    if kind == NEVER:
        return FAILED
    if byte == 0x6E or kind == BOOLEAN:
        place, word = _past_word(buffer, place, end)
        if place < 0 or (word < 0 and table.required >> np.uint64(field) & np.uint64(1)):
            return FAILED
        if kind == BOOLEAN:
            lists[row, 2] = word == 1
        return place
    if kind in (NUMBER, ANY_NUMBER):
        place, number = _number(buffer, place, end)
        if place < 0 or number < table.least[field]:
            return FAILED
        if kind == NUMBER:
            numbers[row, table.column[field]] = number
        return place
    if kind == LIST:
        if byte != OPEN_LIST:
            return FAILED
        column = table.column[field]
        place, lists[row, column] = _list(buffer, place + 1, end, table.listed[column])
        return place
    if byte != QUOTE:
        return FAILED
    stop = _end_of_text(buffer, place + 1, end)
    if stop < 0 or not _text(buffer, place + 1, stop, field, table, row, hashes, places, scratch):
        return FAILED
    return stop + 1


@inlined
def _event(
    buffer: NDArray,
    place: int,
    end: int,
    table: Table,
    after: NDArray,
    row: int,
    hashes: NDArray,
    places: NDArray,
    numbers: NDArray,
    lists: NDArray,
    scratch: NDArray,
) -> bool:
    """Scan one event; return whether it is plainly valid."""
    unknown = len(table.kind)
    previous, seen = unknown, np.uint64(0)
    place = _past_space(buffer, place, end)
    if place >= end or buffer[place] != OPEN:
        return False
    place = _past_space(buffer, place + 1, end)
    while True:
        if place >= end or buffer[place] != QUOTE:
            return False
        place += 1
        field, guess = -1, after[previous]
        if guess >= 0:
            stop = place + table.length[guess]
            if (
                stop < end
                and buffer[stop] == QUOTE
                and _same(buffer, place, table.text, table.start[guess], table.length[guess])
            ):
                field = guess
        if field < 0:
            stop = _end_of_text(buffer, place, end)
            if stop < 0:
                return False
            field = _field(buffer, place, stop - place, table.slots, table.length, table.start, table.text)
            after[previous] = field
        place = _past_space(buffer, stop + 1, end)
        if place >= end or buffer[place] != COLON:
            return False
        place = _past_space(buffer, place + 1, end)
        if place >= end:
            return False
        if field < 0:
            place, previous = _past_unknown(buffer, place, end), unknown
        else:
            bit = np.uint64(1) << np.uint64(field)
            if seen & bit:
                return False
            seen |= bit
            place = _value(buffer, place, end, field, table, row, hashes, places, numbers, lists, scratch)
            previous = field
        if place < 0:
            return False
        place = _past_space(buffer, place, end)
        if place >= end:
            return False
        if buffer[place] == CLOSE:
            break
        if buffer[place] != COMMA:
            return False
        place = _past_space(buffer, place + 1, end)
    return _past_space(buffer, place + 1, end) == end and seen & table.required == table.required


@compiled()
def scan(
    buffer: NDArray,
    start: NDArray,
    end: NDArray,
    table: Table,
    hashes: NDArray,
    places: NDArray,
    numbers: NDArray,
    lists: NDArray,
) -> NDArray[np.bool_]:
    """Fill the rows of the events that are plainly valid; return for each event whether it is not, shape (B,).

    Args:
        buffer: bytes, with `xxh64.PADDING` after the last event.
        start, end: of each event in `buffer`, shape (B,).
        table: `fields.TABLE`.
        hashes: uint64, shape (B, len(HASHES)), zeros.
        places: int64, start and end of each text in `buffer`, shape (B, len(TEXTS), 2), zeros.
        numbers: int64, shape (B, len(NUMBERS)), filled with `MISSING`.
        lists: uint16, masks of capabilities and elicitations, and whether the answer was refused; (B, 3), zeros.
    """
    unusual = np.zeros(len(start), np.bool_)
    after = np.full(len(table.kind) + 1, -1)
    scratch = np.zeros(LONGEST_ADDRESS + 16, np.uint8)
    for row in range(len(start)):
        unusual[row] = not _event(
            buffer, start[row], end[row], table, after, row, hashes, places, numbers, lists, scratch
        )
    return unusual
