"""Random edits and questions: the server answers each, and goes on."""

from __future__ import annotations

import random

import pytest

from tests.editor.client import RpcError
from tests.editor.marked import SPEC

PIECES = (
    *("{", "}", "[", "]", "(", ")", '"', '"""', 'r"', "\n", "\r\n", "\r", ";", ",", "=", "->"),
    *("..", "*", "#", "##", "\\", "\0", "\u2028", "\ufeff", "\U0001f600", "é", "9" * 30, "5%"),
    *("let x = ", "include ", 'include "lib:names"\n', "sweep s in 0..9\n", "param p = 1\n"),
    *("prompts b from ioi { }\n", "method ", "nodes { ", "heads.", " at ", " where ", " as "),
    *("expect { has(L1H1 at last) }\n", "metric prob(right) / ", "match(", "{x as y}", "atp*"),
)
QUESTIONS = (
    *("hover", "completion", "definition", "documentHighlight", "prepareRename"),
    *("documentSymbol", "foldingRange", "formatting"),
)
ROUNDS = 150
REFUSED = -32803


def edited(text: str, draw: random.Random) -> str:
    first, last = sorted(draw.randrange(len(text) + 1) for _ in range(2))
    match draw.randrange(4):
        case 0:
            return text[:first] + draw.choice(PIECES) + text[first:]
        case 1:
            return text[:first] + text[min(first + draw.randrange(9), last) :]
        case 2:
            return text[:first] + text[last : last + 40] + text[first:]
        case _:
            return text[:first] + draw.choice(PIECES) + text[first + 1 :]


def question(client, uri: str, what: str, draw: random.Random) -> None:
    where = {"line": draw.randrange(30), "character": draw.randrange(90)}
    params = {
        "documentSymbol": {},
        "foldingRange": {},
        "formatting": {"options": {"tabSize": 2, "insertSpaces": True}},
    }.get(what, {"position": where})
    try:
        client.request(f"textDocument/{what}", textDocument={"uri": uri}, **params)
    except RpcError as error:
        if error.code != REFUSED:
            raise


@pytest.mark.parametrize("seed", range(4))
def test_any_edit_and_any_question_is_survived(client, root, seed):
    draw = random.Random(seed)
    uri = (root / f"random{seed}.atp").as_uri()
    text, version = SPEC, 1
    client.open(uri, text)
    for _ in range(ROUNDS):
        text = SPEC if draw.random() < 0.05 else edited(text, draw)
        version += 1
        client.change(uri, text, version)
        question(client, uri, draw.choice(QUESTIONS), draw)
    client.diagnostics(uri, version)

    logged = [m["params"] for m in client.notifications if m["method"].startswith("window/")]
    assert logged == []
