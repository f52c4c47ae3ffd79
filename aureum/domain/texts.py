"""Texts of one line: names, subjects, addresses, tags. What shows or sends one of them may rely on it."""

import re

CONTROL = "\0-\x1f\x7f-\x9f\u2028\u2029"
"""Line ends, tabs and other control characters."""

FOLDED = re.compile(f" *[{CONTROL}][{CONTROL} ]*")
AT_THE_ENDS = re.compile(f"\\A *[{CONTROL}][{CONTROL} ]*| *[{CONTROL}][{CONTROL} ]*\\Z")


def one_line(text: str) -> str:
    """*text* with one blank in the place of line ends and other control characters, and none for those at its ends."""
    return text if text.isprintable() else FOLDED.sub(" ", AT_THE_ENDS.sub("", text))
