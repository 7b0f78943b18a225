"""Detects the encoding of a text from its bytes.

In: the beginning of a file. Out: the Python name of its encoding. A byte order mark decides, else
valid UTF-8, else the code page in which the bytes form words. Called by ``training.init.exports``;
an ingest uses the encoding from the settings.
"""

import codecs
import re
from typing import IO, Final

from recsys.ingest.files.sniffing import SAMPLE, encoding_of

#: How much of a text is decoded to detect its encoding. Bytes.
_DECODED: Final = 64 << 20
#: UTF-8 characters required per damaged byte for the file to count as UTF-8.
_GOOD: Final = 10
_KANA: Final = re.compile("[\u3041-\u30ff]")
#: Polish and Czech letters as cp1252 shows them: symbols inside words.
_CENTRAL: Final = re.compile("[A-Za-z\xc0-\xff][¹³¿¾¯£¥¼][A-Za-z]|[³¹¿][a-z]{2}|[a-z]{2}[³¹¿]")
#: ş, ğ and ı as cp1252 shows them. Icelandic uses these too, with letters Turkish lacks.
_TURKISH: Final = re.compile("[þðýÞÐÝ]")
_ICELANDIC: Final = re.compile("[æáíúóÆÁÍÚÓ]")


def detected_encoding(stream: IO[bytes]) -> str:
    """Detect the encoding of a file.

    Parameters
    ----------
    stream : binary file
        At its beginning.

    Returns
    -------
    str
        ``utf-8`` even if single bytes are damaged: then only their rows are rejected, and all
        other text is read correctly.
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
