from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from tests.editor.client import Client, RpcError
from tests.editor.marked import SPEC, in_spec, marked

NUMBERS = itertools.count()
REQUEST_FAILED = -32803
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}


class Text:
    """A text that is open in the editor."""

    def __init__(self, client: Client, root: Path, text: str, name: str = "") -> None:
        self.client = client
        self.path = root / (name or f"spec{next(NUMBERS)}.atp")
        self.uri = self.path.as_uri()
        self.version = 1
        client.open(self.uri, text)

    def change(self, text: str) -> None:
        self.version += 1
        self.client.change(self.uri, text, self.version)

    def diagnostics(self) -> list[dict]:
        return self.client.diagnostics(self.uri, self.version)

    def ask(self, what: str, **params):
        document = {"uri": self.uri}
        return self.client.request(f"textDocument/{what}", textDocument=document, **params)


def position(text: str, offset: int) -> dict[str, int]:
    """A position as an editor that counts UTF-16 units has it."""
    before = text[:offset].replace("\r\n", "\n").split("\n")
    return {"line": len(before) - 1, "character": len(before[-1].encode("utf-16-le")) // 2}


def span(text: str, piece: str) -> dict[str, dict[str, int]]:
    start = text.index(piece)
    return {"start": position(text, start), "end": position(text, start + len(piece))}


def after(text: str, edits: list[dict]) -> str:
    """A text with the changes made that the server asks for."""
    lines = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]

    def offset(place: dict[str, int]) -> int:
        start = lines[place["line"]] if place["line"] < len(lines) else len(text)
        units = text[start:].encode("utf-16-le")[: 2 * place["character"]]
        return start + len(units.decode("utf-16-le"))

    for edit in sorted(edits, key=lambda e: offset(e["range"]["start"]), reverse=True):
        first, last = (offset(edit["range"][end]) for end in ("start", "end"))
        text = text[:first] + edit["newText"] + text[last:]
    return text


def test_problems_come_and_go_as_the_text_changes(client, root):
    bad = in_spec("count = 4", "cuont = 4")
    text = Text(client, root, bad)
    (diagnostic,) = text.diagnostics()

    assert diagnostic["range"] == span(bad, "cuont")
    assert diagnostic["code"] == "ATP105"
    assert diagnostic["severity"] == 1
    assert diagnostic["message"] == (
        "`prompts` has no setting `cuont`\nhelp: did you mean `count`?"
    )

    text.change(SPEC)

    assert text.diagnostics() == []


def test_a_code_leads_to_its_explanation(client, root):
    text = Text(client, root, in_spec("count = 4", "cuont = 4"))
    (diagnostic,) = text.diagnostics()
    file = Path(diagnostic["codeDescription"]["href"].removeprefix("file://"))

    assert file.read_text().startswith("# ATP105: ")


def test_several_mistakes_are_told_in_one_go(client, root):
    bad = in_spec("count = 4", "cuont = 4").replace("top = 5", "tpo = 5")
    bad = bad.replace("metric logit_diff", "metric logit_dif")
    text = Text(client, root, bad)
    ranges = [diagnostic["range"] for diagnostic in text.diagnostics()]

    assert ranges == [span(bad, "cuont"), span(bad, "logit_dif"), span(bad, "tpo")]


def test_places_are_right_after_emoji_and_windows_line_ends(client, root):
    bad = in_spec('"drink", "ring"', '"\U0001f600\U0001f600", {}').replace("\n", "\r\n")
    bad = bad.replace("count = 4", 'x = "\U0001f600"; cuont = 4')
    text = Text(client, root, bad)
    found = {tuple(d["range"]["start"].items()) for d in text.diagnostics()}

    assert tuple(span(bad, "cuont")["start"].items()) in found


def test_other_places_are_related_information(client, root):
    bad = in_spec("count = 4", "count = 4\n  count = 5")
    (diagnostic,) = Text(client, root, bad).diagnostics()
    (related,) = diagnostic["relatedInformation"]

    assert related["location"]["range"] == span(bad, "count")


def test_only_the_last_of_many_changes_is_told(client, root):
    text = Text(client, root, SPEC)
    text.diagnostics()
    for number in range(20):
        text.change(in_spec("count = 4", f"cuont = {number}"))
    text.change(SPEC)

    assert text.diagnostics() == []
    versions = [
        message["params"]["version"]
        for message in client.notifications
        if message["params"].get("uri") == text.uri
    ]
    assert len(versions) < 10


def test_problems_of_included_files_are_told_there_and_go_with_the_spec(client, root):
    words = root / "words.atp"
    words.write_text('atp 1\nlet names = ["Ann" "Bob"]\n')
    text = Text(client, root, in_spec('model "tiny"', 'include "words.atp"\nmodel "tiny"'))
    (diagnostic,) = client.diagnostics(words.as_uri(), None)

    assert diagnostic["range"]["start"]["line"] == 1

    client.notify("textDocument/didClose", textDocument={"uri": text.uri})

    assert client.diagnostics(words.as_uri(), None) == []


def test_a_saved_file_is_read_again(client, root):
    words = root / "saved.atp"
    words.write_text('atp 1\nlet names = ["Ann"]\n')
    spec = in_spec('["Mary", "John", "Tom", "Anna"]', "names").replace(
        'model "tiny"', 'include "saved.atp"\nmodel "tiny"'
    )
    text = Text(client, root, spec)
    assert text.diagnostics() != []
    words.write_text('atp 1\nlet names = ["Mary", "John"]\n')
    client.notify("textDocument/didSave", textDocument={"uri": words.as_uri()})

    assert text.diagnostics() == []


def test_a_text_that_was_never_saved_is_checked_too(client):
    client.open("untitled:Untitled-1", in_spec("top = 5", "tpo = 5"))

    assert [d["code"] for d in client.diagnostics("untitled:Untitled-1", 1)] == ["ATP105"]


def test_completion_replaces_the_word_and_fills_in_places(client, root):
    plain, offset = marked(in_spec("verify {", "ver|\nverify {"))
    plain = plain.replace("verify { top = 5; random = 5; method = fast }\n", "")
    text = Text(client, root, plain)
    found = text.ask("completion", position=position(plain, offset))
    item = next(item for item in found["items"] if item["label"] == "verify")

    assert item["insertTextFormat"] == 2
    assert item["textEdit"]["newText"] == "verify { top = ${1:20}; random = ${2:20} }"
    assert item["textEdit"]["range"] == span(plain, "ver\n") | {
        "end": position(plain, plain.index("ver\n") + 3)
    }


def test_completion_knows_the_slots(client, root):
    plain, offset = marked(in_spec("{IO} and", "{| and"))
    text = Text(client, root, plain)
    found = text.ask("completion", position=position(plain, offset))

    assert {"IO", "S"} <= {item["label"] for item in found["items"]}


def test_hover_counts_nodes_without_running_anything(client, root):
    plain, offset = marked(in_spec("heads.z at", "hea|ds.z at"))
    found = Text(client, root, plain).ask("hover", position=position(plain, offset))

    assert "32 `heads.z` nodes" in found["contents"]["value"]
    assert found["range"] == span(plain, "heads.z")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_heavy_library_is_loaded(client, root):
    text = Text(client, root, SPEC)
    text.diagnostics()
    text.ask("inlayHint", range=WHOLE)
    loaded = Path(f"/proc/{client.process.pid}/maps").read_text()

    assert "tokenizers" in loaded
    for library in ("libtorch", "site-packages/pandas", "site-packages/numpy"):
        assert library not in loaded


def test_definition_and_references(client, root):
    plain, offset = marked(in_spec("corrupt S2 ->", "corrupt S|2 ->"))
    text = Text(client, root, plain)
    (place,) = text.ask("definition", position=position(plain, offset))
    context = {"includeDeclaration": True}
    found = text.ask("references", position=position(plain, offset), context=context)

    start = plain.index("S as S2}") + len("S as ")
    assert place == {
        "uri": text.uri,
        "range": {"start": position(plain, start), "end": position(plain, start + 2)},
    }
    assert len(found) == 4
    assert len(text.ask("documentHighlight", position=position(plain, offset))) == 4


def test_an_include_opens_its_file(client, root):
    plain, offset = marked('atp 1\ninclude "lib:na|mes"\n')
    (place,) = Text(client, root, plain).ask("definition", position=position(plain, offset))

    assert place["uri"].endswith("/library/names.atp")


def test_a_name_is_renamed_everywhere(client, root):
    plain, offset = marked(in_spec("corrupt S2 ->", "corrupt S|2 ->"))
    text = Text(client, root, plain)
    where = position(plain, offset)
    assert text.ask("prepareRename", position=where)["placeholder"] == "S2"
    answer = text.ask("rename", position=where, newName="GIVER")
    (change,) = answer["documentChanges"]
    changed = after(plain, change["edits"])

    assert change["textDocument"] == {"uri": text.uri, "version": 1}
    assert "S2" not in changed
    assert changed.count("GIVER") == 4
    text.change(changed)
    assert text.diagnostics() == []


def test_what_cannot_be_renamed_is_refused_politely(client, root):
    plain, offset = marked(in_spec("slot IO", "slot I|O"))
    text = Text(client, root, plain)

    with pytest.raises(RpcError, match="there is another `S` already") as refusal:
        text.ask("rename", position=position(plain, offset), newName="S")
    assert refusal.value.code == REQUEST_FAILED
    with pytest.raises(RpcError, match="there is no name of this spec here"):
        text.ask("prepareRename", position={"line": 0, "character": 0})


def test_formatting_gives_the_canonical_layout(client, root):
    ugly = in_spec("  mlp at every", "     mlp   at every").replace("count = 4", "count=4")
    text = Text(client, root, ugly)
    options = {"tabSize": 2, "insertSpaces": True}
    neat = after(ugly, text.ask("formatting", options=options))
    text.change(neat)

    assert "\n  mlp     at every" in neat or "\n  mlp at every" in neat
    assert text.ask("formatting", options=options) == []


def test_a_spec_with_mistakes_is_not_formatted(client, root):
    text = Text(client, root, "atp 1\nnodes {{")

    assert text.ask("formatting", options={"tabSize": 2, "insertSpaces": True}) is None


def test_windows_line_ends_are_kept(client, root):
    text = Text(client, root, SPEC.replace("\n", "\r\n"))
    edits = text.ask("formatting", options={"tabSize": 2, "insertSpaces": True})
    changed = after(SPEC.replace("\n", "\r\n"), edits)

    assert changed.count("\n") == changed.count("\r\n")


def test_a_quick_fix_mends_the_problem(client, root):
    bad = in_spec("count = 4", "cuont = 4")
    text = Text(client, root, bad)
    text.diagnostics()
    context = {"diagnostics": [], "only": ["quickfix"]}
    (action,) = text.ask("codeAction", range=span(bad, "cuont"), context=context)
    (change,) = action["edit"]["documentChanges"]
    text.change(after(bad, change["edits"]))

    assert action["kind"] == "quickfix"
    assert action["diagnostics"][0]["code"] == "ATP105"
    assert text.diagnostics() == []


def test_all_can_be_mended_at_once(client, root):
    bad = in_spec("count = 4", "cuont = 4").replace("top = 5", "tpo = 5")
    text = Text(client, root, bad)
    context = {"diagnostics": [], "only": ["source.fixAll"]}
    (action,) = text.ask("codeAction", range=WHOLE, context=context)
    (change,) = action["edit"]["documentChanges"]

    assert after(bad, change["edits"]) == SPEC


def test_the_outline_and_folds_are_there(client, root):
    text = Text(client, root, SPEC)

    assert [s["name"] for s in text.ask("documentSymbol")][:2] == [
        'model "tiny"',
        "prompts ioi",
    ]
    assert {"startLine": 4, "endLine": 12, "kind": "region"} in text.ask("foldingRange")


def test_lines_of_nodes_say_how_many(client, root):
    hints = Text(client, root, SPEC).ask("inlayHint", range=WHOLE)

    assert [hint["label"] for hint in hints] == ["32 nodes", "60 nodes"]


def test_a_text_that_is_not_open_gives_no_answers(client, root):
    document = {"uri": (root / "nowhere.atp").as_uri()}
    where = {"line": 0, "character": 0}

    for what in ("hover", "completion", "prepareRename"):
        answer = client.request(f"textDocument/{what}", textDocument=document, position=where)
        assert answer is None


def test_an_unknown_request_is_answered_with_an_error(client):
    with pytest.raises(RpcError):
        client.request("textDocument/nonsense", textDocument={"uri": "file:///x"})


# ---- beginning and end ----


@pytest.fixture
def another(session_cache):
    found = Client(session_cache / "atpdsl")
    yield found
    found.kill()


def test_an_orderly_end_is_exit_code_0(another, root):
    another.initialize(root)
    another.open((root / "x.atp").as_uri(), SPEC)

    assert another.stop() == 0
    assert another.errors == b""


def test_an_end_without_a_word_is_exit_code_3(another, root):
    another.initialize(root)
    another.notify("exit")

    assert another.process.wait(timeout=30) == 3


def test_the_server_goes_with_its_editor(another, root):
    another.initialize(root)
    another.process.stdin.close()

    assert another.process.wait(timeout=30) == 3


@pytest.mark.parametrize(("encoding", "width"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_positions_are_counted_as_the_editor_asks(another, root, encoding, width):
    answer = another.initialize(root, general={"positionEncodings": [encoding]})
    another.open((root / "e.atp").as_uri(), 'atp 1\nexport "\U0001f600.csv", wrong("x")\n')
    found = another.diagnostics((root / "e.atp").as_uri(), 1)
    starts = [d["range"]["start"]["character"] for d in found if "wrong" in d["message"]]

    assert answer["positionEncoding"] == encoding
    assert starts == [len('export ".csv", ') + width]


def test_an_editor_without_snippets_gets_plain_text(another, root):
    another.initialize(root, textDocument={})
    uri = (root / "plain.atp").as_uri()
    another.open(uri, "atp 1\n")
    found = another.request(
        "textDocument/completion",
        textDocument={"uri": uri},
        position={"line": 1, "character": 0},
    )

    assert {item["insertTextFormat"] for item in found["items"]} == {1}
    assert all("$" not in item["textEdit"]["newText"] for item in found["items"])


def test_without_pygls_it_says_how_to_get_it(session_cache, root):
    program = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'pygls' else real(name, *a)\n"
        "from atpdsl.cli import main\n"
        "sys.exit(main(['lsp']))\n"
    )
    found = Client(session_cache / "atpdsl", [sys.executable, "-c", program])
    code = found.process.wait(timeout=30)
    found.kill()

    assert code == 2
    assert b"pip install 'atpdsl[lsp]'" in found.errors
