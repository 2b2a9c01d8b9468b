"""captions.csv as spreadsheets save it: encodings and separators are read, or refused with the line."""

import pytest

from motionclip.data.folder_captions import read_captions
from motionclip.errors import DataError

ROWS = "file,text,start,end\r\na.bvh,a fiancé struts into a café,1.5,2\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_that_can_be_told(encoding, separator, tmp_path):
    mark = "\ufeff" if encoding.endswith(("le", "be")) else ""
    (tmp_path / "captions.csv").write_bytes((mark + ROWS.replace(",", separator)).encode(encoding))
    (row,) = read_captions(tmp_path / "captions.csv", ["a.bvh"])["a.bvh"]
    assert (row.text.text, row.text.start, row.text.end) == ("a fiancé struts into a café", 1.5, 2)


def test_columns_and_splits_in_capitals(tmp_path):
    (tmp_path / "captions.csv").write_text("File,Text,START,end,Split\nA.bvh,A person bows,1,2,Test\n")
    (row,) = read_captions(tmp_path / "captions.csv", ["A.bvh"])["A.bvh"]
    assert (row.text.text, row.text.start, row.split) == ("A person bows", 1.0, "test")


def test_decimal_commas_and_the_separator_in_a_line_of_its_own(tmp_path):
    (tmp_path / "captions.csv").write_text('sep=;\nfile;text;start;end;split\nsub\\a.bvh;"a; b";1,5;2,25;\n')
    (row,) = read_captions(tmp_path / "captions.csv", ["sub/a.bvh"])["sub/a.bvh"]
    assert (row.text.text, row.text.start, row.text.end) == ("a; b", 1.5, 2.25)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ROWS.encode("cp1252"), r"captions.csv, line 2: this is not UTF-8 text \(byte 0xe9\); save it as"),
        (ROWS.replace("é", "e").encode("utf-16-le"), r"line 1: this is not UTF-8 text \(byte 0x00\)"),
        (b"\xff\xfe" + ROWS.encode("utf-16-le")[:-1], "damaged UTF-16"),
        (b"file,text\na.bvh,b\nb.bvh," + b"x" * 131_073, "line 3: a cell of more than 131,072 characters"),
        (b'file,text\na.bvh,"b\nc.bvh,d\n', "line 3: a quoted text that is not closed"),
        (b'file,text\na.bvh,"a "big" jump"\n', "line 2: .* quotes in them doubled"),
        (b"sep=,\nfile,text\ngone.bvh,b\n", "line 3: no motion file is called 'gone.bvh'"),
        (b"", "line 1: columns ; expected file and text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(content, problem, tmp_path):
    (tmp_path / "captions.csv").write_bytes(content)
    with pytest.raises(DataError, match=problem):
        read_captions(tmp_path / "captions.csv", ["a.bvh"])
