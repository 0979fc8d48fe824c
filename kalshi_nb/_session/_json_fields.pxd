# What fields of JSON hold that is written as the exchange writes it, and how that is read from its bytes: one line of
# ASCII, without a backslash. Whoever finds anything else says so, and leaves it to others.

from libc.string cimport memcmp, memcpy


cdef enum:
    LONGEST_DECIMAL = 16  # fifteen digits are below the largest size whatever they are
    LONGEST_INTEGER = 16


cdef enum:  # what a field holds, if it is not null
    TEXT = 1
    INTEGER = 2
    FLAG = 4
    ANYTHING = 7  # which nobody reads
    STAMP = 3  # which nobody reads either, but an integer has its bounds
    OBJECT = 8

cdef struct Field:
    const char *name
    int length
    int holds

cdef struct Value:
    const char *text  # NULL where there is none
    long long number  # the integer; how long the text is; whether it is true

cdef struct Place:
    const char *at
    const char *end


cdef inline bint is_plain(const char *text, Py_ssize_t length) noexcept nogil:
    """Tell whether a text is of ASCII, without a backslash or a control character."""
    cdef unsigned long long part, slashes, odd = 0
    cdef unsigned long long ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL
    while length > 0:
        part = ones * 0x20
        memcpy(&part, text, 8 if length > 8 else length)
        slashes = part ^ (ones * 0x5C)
        # The top bit of a byte: it is above ASCII; it is below 0x20, or one before it is; it is a backslash, likewise.
        odd |= part | (part - ones * 0x20) & ~part | (slashes - ones) & ~slashes
        text += 8
        length -= 8
    return odd & tops == 0


cdef inline bint read_word(Place *place, const char *text, int length) noexcept nogil:
    if place.end - place.at < length or memcmp(place.at, text, length) != 0:
        return False
    place.at += length
    return True


cdef inline bint read_integer(Place *place, long long *number) noexcept nogil:
    """Read an integer as JSON has it, of not too many digits."""
    cdef const char *first
    cdef bint below = place.at[0] == b"-"
    cdef long long found = 0
    if below:
        place.at += 1
    first = place.at
    while place.at < place.end and b"0" <= place.at[0] <= b"9":
        if place.at - first == LONGEST_INTEGER:
            return False
        found = found * 10 + (place.at[0] - <int>b"0")
        place.at += 1
    if place.at == first or first[0] == b"0" and (below or place.at - first > 1):
        return False
    number[0] = -found if below else found
    return True


cdef inline bint is_field(const Place *place, const Field *field) noexcept nogil:
    return (
        place.end - place.at > field.length + 2
        and memcmp(place.at, field.name, field.length) == 0
        and place.at[field.length] == b'"'
        and place.at[field.length + 1] == b":"
    )


cdef inline bint decimal(const Value *value, int decimals, long long *units) noexcept nogil:
    """Set the units of a decimal with just so many decimals; False where it is not written in that way."""
    cdef const char *text = value.text
    cdef long long length = value.number, place, found = 0
    cdef bint below = length > 0 and text[0] == b"-"
    if length > LONGEST_DECIMAL or length - below < decimals + 2 or text[length - decimals - 1] != b".":
        return False
    for place in range(below, length):
        if place != length - decimals - 1:
            if not b"0" <= text[place] <= b"9":
                return False
            found = found * 10 + (text[place] - <int>b"0")
    units[0] = -found if below else found
    return True


cdef inline bint amount(const Value *value, int decimals, long long most, long long *units) noexcept nogil:
    """Set the units of a decimal from none to so many, -1 where there is none; False where it is anything else."""
    if value.text == NULL:
        units[0] = -1
        return True
    return decimal(value, decimals, units) and 0 <= units[0] <= most


cdef inline int choice(const Value *value, const char *one, int one_length, const char *other, int other_length) noexcept nogil:
    """Return 0 or 1 for one of two words, 2 for none, also where it is empty, and -1 for anything else."""
    if value.text == NULL or value.number == 0:
        return 2
    if value.number == one_length and memcmp(value.text, one, one_length) == 0:
        return 0
    if value.number == other_length and memcmp(value.text, other, other_length) == 0:
        return 1
    return -1
