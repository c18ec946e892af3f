"""One self-contained HTML file: template, style, scripts and data.

Nothing is requested by the page. The modules in `static/` are put one after the other into one
script, and the policy in the page allows that script and that style by their digests, and
nothing else. The data is text in base64: no token or prompt can become markup.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template

STATIC = files("atpdsl.exports.report_page").joinpath("static")
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=((?:async )?function|const|class) (\w+))", re.MULTILINE)


def page(data: Mapping[str, object], *, title: str, generator: str, entry: str = "main") -> str:
    """The text of the page.

    Args:
        data: what `static/data.js` unpacks; plain JSON, without NaN.
        entry: the module of `static/` that the page begins with.
    """
    script, style = bundle(entry), _read("page.css")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return Template(_read("page.html")).substitute(
        policy=html.escape(policy, quote=True),
        title=html.escape(title),
        generator=html.escape(generator, quote=True),
        style=style,
        data=packed(data),
        script=script,
    )


def packed(data: Mapping[str, object]) -> str:
    """The data as base64 of gzip of JSON; the same bytes for the same data."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    encoded = text.encode("utf-8", errors="replace")
    return base64.b64encode(gzip.compress(encoded, compresslevel=6, mtime=0)).decode("ascii")


@cache
def bundle(entry: str) -> str:
    """A module and all that it imports as one script, what is imported first.

    Raises:
        ValueError: when the text of a module would end the script.
    """
    order: list[str] = []
    _visit(entry, order)
    script = "\n".join(_module(name) for name in order)
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a module has text that would end the script")
    return script


def _visit(name: str, order: list[str]) -> None:
    for _, needed in _IMPORT.findall(_read(f"{name}.js")):
        if needed not in order:
            _visit(needed, order)
    order.append(name)


def _module(name: str) -> str:
    """A module as a function that is called once, and gives what it exports."""
    text = _IMPORT.sub(r"const \1 = module_\2;", _read(f"{name}.js"))
    exported = ", ".join(found[1] for found in _EXPORT.findall(text))
    body = _EXPORT.sub("", text)
    return f"const module_{name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();"


@cache
def _read(name: str) -> str:
    return STATIC.joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
