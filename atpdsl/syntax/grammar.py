"""The grammar file, and the parser made from it.

Building the LALR table takes most of the time of checking a small spec, so the table is kept
in the user's cache as JSON, under a name that changes with anything it depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

import lark
from lark import Lark
from lark.exceptions import LarkError
from lark.grammar import Rule
from lark.lexer import TerminalDef

from atpdsl.syntax.newlines import StatementEnds

FILE = "start"
BODY_STATEMENT = "_body_statement"
CACHE_VARIABLE = "ATPDSL_CACHE"
_DIGEST_SIZE = 64
# What Lark raises when it is given something else than a table that it made.
_NO_TABLE = (ValueError, TypeError, LookupError, AttributeError, AssertionError, LarkError)


def grammar_text() -> str:
    """The text of `grammars/atp.lark`, from the package or from a checkout."""
    package = Path(__file__).parents[1]
    packaged = package / "grammars" / "atp.lark"
    checkout = package.parent / "grammars" / "atp.lark"
    return (packaged if packaged.is_file() else checkout).read_text(encoding="utf-8")


def build_parser(text: str, *, strict: bool = False) -> Lark:
    """The parser for a grammar, built from scratch.

    Raises:
        lark.exceptions.GrammarError: when the grammar has a conflict; with `strict` also
            when two terminals can match the same text where both may stand.
    """
    return Lark(
        text,
        start=[FILE, BODY_STATEMENT],
        parser="lalr",
        lexer="contextual",
        postlex=StatementEnds(),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
    )


@cache
def parser() -> Lark:
    """The parser for specs: from the cache where that can be trusted, else built."""
    text = grammar_text()
    path = cache_directory() / _table_name(text)
    saved = _read_table(path)
    if saved is not None:
        return saved
    built = build_parser(text)
    _write_table(path, built)
    return built


def cache_directory() -> Path:
    """Where atpdsl may keep what it can make again: `$ATPDSL_CACHE` or the user's cache."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("atpdsl"))


def _table_name(text: str) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    key = f"{text}\0{lark.__version__}\0{version}"
    return f"grammar-{hashlib.sha256(key.encode()).hexdigest()}.json"


def _read_table(path: Path) -> Lark | None:
    """The parser kept in `path`; None where there is none, or none that can be trusted."""
    try:
        raw = _read_own_file(path)
        digest, payload = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
        if hashlib.sha256(payload).hexdigest().encode() != digest:
            return None
        data, memo = json.loads(payload, object_pairs_hook=_with_numbers)
        loaded: Lark = Lark._load_from_dict(  # type: ignore[no-untyped-call]
            data, memo, postlex=StatementEnds()
        )
    except (OSError, *_NO_TABLE):
        return None
    return loaded


def _read_own_file(path: Path) -> bytes:
    """The content of a file that only the current user can have written.

    Raises:
        OSError: when it cannot be read, or when somebody else could have written it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        writable = stat.S_IWGRP | stat.S_IWOTH
        if hasattr(os, "getuid") and (
            status.st_uid != os.getuid() or status.st_mode & writable
        ):
            raise PermissionError(f"{path} may have been written by another user")
        return file.read()


def _write_table(path: Path, built: Lark) -> None:
    """Keeps a parser's table for the next time; without a cache directory it does nothing."""
    data, memo = built.memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None
    payload = json.dumps([data, memo]).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).hexdigest().encode() + payload)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)


def _with_numbers(pairs: list[tuple[str, object]]) -> dict[str | int, object]:
    """Lark's tables have numbers as keys, which JSON turns into strings."""
    return {int(key) if key.isdecimal() else key: value for key, value in pairs}
