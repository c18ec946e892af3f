"""The canonical text of a spec."""

from __future__ import annotations

import re
from dataclasses import replace

from atpdsl.formatting.layout import lay_out
from atpdsl.formatting.reading import read_outline
from atpdsl.formatting.same import same_tree
from atpdsl.problems import Source, SpecError
from atpdsl.syntax.parse import BYTE_ORDER_MARK, parse
from atpdsl.syntax.tree import SpecFile


def format_text(text: str, name: str = "spec.atp") -> str:
    r"""A spec in its canonical layout: the same statements, the same comments.

    Lines end with `\n`, and a byte order mark is left out.

    Args:
        text: of the spec.
        name: its file, for messages.

    Raises:
        SpecError: when it cannot be parsed; nothing is guessed about a text with mistakes.
    """
    source = Source(name, text)
    tree, problems = parse(source)
    if problems:
        raise SpecError(problems, source)
    written = lay_out(*read_outline(_with_plain_ends(text)))
    _verify(tree, written)
    return written


def _with_plain_ends(text: str) -> str:
    return re.sub("\r\n?", "\n", text.removeprefix(BYTE_ORDER_MARK))


def _verify(tree: SpecFile, written: str) -> None:
    """Refuses a text that does not say what the spec said; that would be a bug of ours."""
    again, problems = parse(Source("formatted", written))
    if problems or not same_tree(_trimmed(tree), _trimmed(again)):
        raise AssertionError("the formatted spec would say something else")


def _trimmed(tree: SpecFile) -> SpecFile:
    """The same without spaces at the ends of comments, which are not kept."""
    comments = tuple(replace(c, text=c.text.rstrip(" \t")) for c in tree.comments)
    return replace(tree, comments=comments)
