"""What goes into lines comes out of them, byte for byte."""

import copy
import importlib
import json
import pickle

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kalshi_nb._recording import cutting, joining
from kalshi_nb._recording.lines import OWN, Decoder, encode, type_of
from kalshi_nb._rows.heard import BookState, Checkpoint, Event, Read, Sent
from tests.recording.items import ITEMS, checkpoint


def decoded(lines, decoder=None):
    """The items of lines that have no newlines."""
    return list((decoder or Decoder()).items(b"".join(line + b"\n" for line in lines)))


def lines_of(items):
    together = b"".join(b"".join(encode(each)) for each in items)
    *lines, rest = together.split(b"\n")
    assert not rest
    return lines


@settings(max_examples=200, deadline=None)
@given(st.lists(ITEMS, max_size=8))
@example([Read(1, 1, [b'{"type":"ok"\n}\n', b'{"type":"ok"}'])])
def test_any_items_come_back_equal(items):
    lines = lines_of(items)
    for line in lines:
        json.loads(line)
    assert decoded(lines) == items


def test_frames_are_lines_as_they_came():
    frames = [b'{"type":"trade","msg":{"a": 1}}\n', b'{"type":"ticker"}\n']
    bare = [each.removesuffix(b"\n") for each in frames]
    assert lines_of([Read(5, 2, frames)]) == [b'{"t":5,"c":2}', *bare]
    assert lines_of([Read(5, 2, bare)]) == [b'{"t":5,"c":2,"nl":0}', *bare]


@pytest.mark.parametrize("own", OWN, ids=["t", "mark", "first", "end"])
def test_a_frame_that_begins_like_a_line_of_the_kits_own_is_not_taken_for_one(own):
    frame = own + b"1}\n"
    lines = lines_of([Read(5, 1, [frame])])
    assert frame.strip() not in lines
    assert decoded(lines) == [Read(5, 1, [frame])]


def test_a_command_stands_verbatim_in_its_line():
    command = b'{"id":1, "cmd":"subscribe"}'
    (line,) = lines_of([Sent(5, 1, command)])
    assert command in line


def test_lines_and_keys_that_are_not_known_are_passed_over():
    one, other = Read(1, 1, [b'{"type":"a"}\n', b'{"type":"b"}\n']), Event(3, 1, "lost", "x")
    lines = lines_of([one, other])
    lines.insert(3, b'{"t":2,"c":1,"mood":{"event":"lost"}}')
    lines.insert(3, b'{"t":2,"c":1,"event":"of another day"}')
    lines[-1] = b'{"t":3,"c":1,"mood":"bad","event":"lost","text":"x"}'
    assert decoded(lines) == [one, other]


def test_half_a_checkpoint_is_none():
    point = checkpoint(7)
    lines = lines_of([point, point])
    half = len(lines) // 2
    decoder = Decoder()
    assert decoded(lines[:2], decoder) == []
    decoder.forget()
    assert decoded(lines[2:half], decoder) == []  # its closing line counts more than there are
    assert decoded(lines[half:], decoder) == [point]
    assert isinstance(point, Checkpoint)


BOOK = b'{"t":5,"book":{"c":1,"market_ticker":"KX-A","status":"live","reason":"","changed_at":4,"yes":%s,"no":[]}}'


def a_checkpoint_of(levels):
    (checkpoint,) = decoded([BOOK % levels, b'{"t":5,"checkpoint":1,"connected":[1]}'])
    return checkpoint


@pytest.mark.parametrize("written", [b"[[4700,100],[1,25]]", b"[ [4700, 100],\t[1,25] ]"])
def test_a_books_levels_are_there_when_they_are_asked_for_however_they_are_spaced(written):
    (book,) = a_checkpoint_of(written).books
    assert (book.yes, book.no) == ([(4700, 100), (1, 25)], [])
    expected = BookState(1, "KX-A", "live", "", 4, [(4700, 100), (1, 25)], [])
    assert book == expected
    assert expected == book
    assert book != BookState(1, "KX-A", "live", "", 4, [(4700, 100)], [])
    assert book != "a book"
    assert "yes=[(4700, 100), (1, 25)]" in repr(book)
    assert a_checkpoint_of(b"[]").books[0].yes == []
    assert [copy.copy(book), copy.deepcopy(book), pickle.loads(pickle.dumps(book))] == [expected] * 3
    with pytest.raises(TypeError):
        hash(book)


@pytest.mark.parametrize(
    "written", [b'[[4700,"100"]]', b"[[4700]]", b"[[1,2,3]]", b"[4700]", b"{}", b"null", b"[[1.5,2]]", b'""']
)
def test_levels_that_are_none_are_found_where_their_line_is_read(written):
    with pytest.raises(msgspec.DecodeError):
        a_checkpoint_of(written)


def test_a_checkpoint_may_come_in_several_lots_of_lines():
    lines = lines_of([checkpoint(7)])
    decoder = Decoder()
    assert [each for line in lines for each in decoded([line], decoder)] == [checkpoint(7)]


def test_the_type_of_a_frame_is_read_off_its_first_bytes():
    assert type_of(b'{"type":"trade","sid":1}') == "trade"
    assert type_of(b'{"id":1,"type":"trade"}') == ""
    assert type_of(b"\x00") == ""


# Frames, both ways -----------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [b"", b"{", b"{}", b'{"type":"a"}', b'{"t":1,"c":1}', b'{"t"', b'{"end":1}', b'{"mark":1', b"\x00\xff"]
)


@pytest.mark.skipif(not cutting.COMPILED, reason="the compiled part was not built: pip install -e .")
@settings(max_examples=300, deadline=None)
@given(st.lists(LINES | st.binary(max_size=6).map(lambda each: each.replace(b"\n", b"")), max_size=8), st.booleans())
def test_frames_are_cut_alike_by_the_compiled_way(lines, newline):
    text = b"".join(line + b"\n" for line in lines)
    begins = [0, *(at + 1 for at, each in enumerate(text) if each == 10)]
    extension = importlib.import_module("kalshi_nb._recording._cutting")
    for end in (*range(len(text) + 1), 1 << 40):  # so far beyond that nobody could read there
        assert extension.lines_in(text, end) == cutting.plain_lines_in(text, end)
    for begin in begins:
        for each in OWN:
            assert extension.find_line(text, each, begin) == cutting.plain_find_line(text, each, begin)
        assert extension.frames_in(text, begin, OWN, newline) == cutting.plain_frames_in(text, begin, OWN, newline)


def test_a_line_is_found_by_its_beginning():
    for find in {cutting.find_line, cutting.plain_find_line}:
        assert find(b'{"end":1}\nx{"end":\n{"end":2', b'{"end":', 0) == 0
        assert find(b'{"end":1}\nx{"end":\n{"end":2', b'{"end":', 10) == 19
        assert find(b'x\n{"end"', b'{"end":', 0) == -1
        assert find(b'x\n{"end":', b'{"end":', 0) == 2


@pytest.mark.parametrize("newline", [True, False])
def test_frames_end_at_a_line_of_the_kits_own(newline):
    text = b'{"type":"a"}\n\n{"t":1,"c":1}\n{"type":"b"}\n'
    end = b"\n" if newline else b""
    for cut in {cutting.frames_in, cutting.plain_frames_in}:
        assert cut(text, 0, OWN, newline) == ([b'{"type":"a"}' + end, end], 14)
        assert cut(text, 28, OWN, newline) == ([b'{"type":"b"}' + end], len(text))
        assert [cut(each, 0, OWN, newline) for each in OWN] == [([], 0)] * len(OWN)  # no more than how it begins
        with pytest.raises(ValueError, match="without an end"):
            cut(text[:-1], 28, OWN, newline)


# Reads, joined ---------------------------------------------------------------------------------------------------

MESSAGES = st.builds(
    lambda begin, body, end, newline: begin + body + end + newline,
    st.sampled_from([b'{"type":"trade"', b'{"type":"ticker"', b'{"type":"', b'{"type":"x', b"{", b""]),
    st.sampled_from([b"", b',"sid":1', b"\n", b"\xc3\xa9", b'"']),
    st.sampled_from([b"}", b"}", b"}", b""]),
    st.sampled_from([b"", b"\n"]),
)


@pytest.mark.skipif(not joining.COMPILED, reason="the compiled part was not built: pip install -e .")
@settings(max_examples=500, deadline=None)
@given(st.lists(MESSAGES, max_size=4))
def test_messages_are_joined_alike_by_the_compiled_way(messages):
    extension = importlib.import_module("kalshi_nb._recording._joining")
    for some in (messages, tuple(messages), [each + b"\n" for each in messages if not each.endswith(b"\n")]):
        assert extension.join(b'{"t":1,"c":1', some) == joining.plain_join(b'{"t":1,"c":1', some)


def test_more_types_than_are_kept_at_hand_are_counted():
    messages = [b'{"type":"kind%d","sid":1}' % (each % 20) for each in range(90)]
    for join in {joining.join, joining.plain_join}:
        lines, types = join(b'{"t":5,"c":2', messages)
        assert lines == b'{"t":5,"c":2,"nl":0}\n' + b"".join(each + b"\n" for each in messages)
        assert types == {b'{"type":"kind%d' % each: 5 if each < 10 else 4 for each in range(20)}


@pytest.mark.parametrize(
    "odd",
    [
        b'{"id":1,"type":"trade"}',
        b'{"type":"trade","name":"caf\xc3\xa9"}',
        b'{"type":"trade",\n"sid":1}',
        b'{"type":"trade","sid":1} ',
        b'{"type":"}',
        b'{"type":"trade"}\n\n',
        b"",
    ],
)
def test_one_odd_message_has_all_of_its_read_looked_at_one_by_one(odd):
    plain = [b'{"type":"trade","sid":1,"seq":%d}' % each for each in range(3)]
    for join in {joining.join, joining.plain_join}:
        for newline in (b"", b"\n"):
            read = [each + newline for each in plain]
            assert join(b'{"t":5,"c":2', read) is not None
            assert join(b'{"t":5,"c":2', [*read, odd]) is None
            assert join(b'{"t":5,"c":2', [odd, *read]) is None
        assert join(b'{"t":5,"c":2', []) is None
        assert join(b'{"t":5,"c":2', [plain[0], plain[1] + b"\n"]) is None
