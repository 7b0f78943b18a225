"""Detects the encoding of a text from its bytes where no setting states it.

The beginning of a file comes in, the Python name of an encoding goes out: of its byte order mark,
else UTF-8 as far as its bytes are, else the code page whose letters make words of them. Called by
``training.init.exports``; an ingest takes what the settings state.
"""

import codecs
import re
from typing import IO, Final

from recsys.ingest.files.sniffing import SAMPLE, encoding_of

#: How much of a text is decoded to tell its encoding. Bytes.
_DECODED: Final = 64 << 20
#: How many signs of UTF-8 stand for one damaged byte before the file counts as UTF-8.
_GOOD: Final = 10
_KANA: Final = re.compile("[\u3041-\u30ff]")
#: What Polish and Czech letters look like in cp1252: signs in the middle of words.
_CENTRAL: Final = re.compile("[A-Za-z\xc0-\xff][¹³¿¾¯£¥¼][A-Za-z]|[³¹¿][a-z]{2}|[a-z]{2}[³¹¿]")
#: ş, ğ and ı in cp1252; Icelandic has them too, beside letters that Turkish has not.
_TURKISH: Final = re.compile("[þðýÞÐÝ]")
_ICELANDIC: Final = re.compile("[æáíúóÆÁÍÚÓ]")


def detected_encoding(stream: IO[bytes]) -> str:
    """Tell the encoding of a file.

    Parameters
    ----------
    stream : binary file
        At its beginning.

    Returns
    -------
    str
        ``utf-8`` also where single bytes of it are damaged: their rows are rejects, and the names
        of all others stay right.
    """
    block = stream.read(SAMPLE)
    marked = encoding_of(block)
    if marked != "utf-8" or block.startswith(codecs.BOM_UTF8):
        return marked
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    read = good = bad = 0
    other = b""
    while block and read < _DECODED:
        if not block.isascii():
            text = decoder.decode(block)
            damaged = text.count("\ufffd")
            bad += damaged
            good += sum(not sign.isascii() for sign in text) - damaged
            other = other or block
        read += len(block)
        block = stream.read(SAMPLE)
    return "utf-8" if bad * _GOOD <= good else _code_page(other)


def _code_page(block: bytes) -> str:
    japanese = block.decode("cp932", errors="ignore")
    kana = len(_KANA.findall(japanese))
    if kana and kana * 5 >= sum(not sign.isascii() for sign in japanese):
        return "cp932"
    western = block.decode("cp1252", errors="replace")
    if "\ufffd" in western or _CENTRAL.search(western):
        return "cp1250"
    if _TURKISH.search(western) and not _ICELANDIC.search(western):
        return "cp1254"
    return "cp1252"
