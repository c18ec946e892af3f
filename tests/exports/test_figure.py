"""The figure: as SVG, PNG and PDF."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from atpdsl.exports import export
from atpdsl.exports.figure import figure, short
from atpdsl.exports.layout import lay_out
from atpdsl.exports.marks import BLUE, RED, SHAPES, channels, colour, mark, tint
from atpdsl.exports.picture import Picture, Shape, Words
from atpdsl.exports.strongest import strongest
from atpdsl.nodes import NODE_KINDS
from atpdsl.problems import RunError
from atpdsl.results.harmless import harmless
from atpdsl.results.result import Result
from tests.exports.cases import PAYLOADS, exact_cancellation, hostile
from tests.results.samples import call, experiment, outcome, result

SVG = "{http://www.w3.org/2000/svg}"


def drawn(found: Result, folder: Path) -> ElementTree.Element:
    export(found, folder / "a.svg")
    return ElementTree.parse(folder / "a.svg").getroot()  # noqa: S314 (our own file)


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_every_node_is_drawn_with_its_numbers(tmp_path: Path):
    found = exact_cancellation()
    tips = [tip.text or "" for tip in drawn(found, tmp_path).iter(f"{SVG}title")]

    for _, facts in found.graph.nodes(data=True):
        if facts["kind"] in NODE_KINDS:
            value = facts["signed"] if facts["effect"] is None else facts["effect"]
            known = "measured" if facts["verified"] else "estimated"
            flags = "".join(f", {flag}" for flag in facts["flags"])
            assert f"{facts['label']}: {value:+.4g} {known}{flags}." in tips


def test_the_strongest_edges_are_drawn_and_counted(tmp_path: Path):
    found = exact_cancellation()
    root = drawn(found, tmp_path)
    edges = strongest(found.graph)
    tips = [tip.text or "" for tip in root.iter(f"{SVG}title")]
    inner = sum(1 for source, _ in found.graph.edges() if source != "input")

    assert [t for t in tips if "→" in t] == [f"{s} → {t} ({w})" for s, t, w in reversed(edges)]
    assert f"can read; the {len(edges)} strongest" in texts(root)
    assert f"of {inner} edges are drawn" in texts(root)


def test_the_figure_says_what_was_done_and_by_which_convention(tmp_path: Path):
    said = texts(drawn(result(), tmp_path))

    assert said[0] == "ioi on tiny: logit_diff at last"
    assert said[1].startswith("atp, noising: the clean run with one node set to its value in")
    assert said[1].endswith("means over 3 pairs")
    assert "an effect is patched minus unpatched metric" in said[2]


def test_layers_and_tokens_are_named(tmp_path: Path):
    said = texts(drawn(result(), tmp_path))

    assert {"L0", "L1", "When", "Mary…", "and…", "<s>"} <= set(said)
    assert any(text.startswith("S2: ") for text in said)


def test_only_what_is_in_the_figure_is_in_the_legend(tmp_path: Path):
    plain, marked = (texts(drawn(r, tmp_path / n)) for r, n in folders(tmp_path))

    assert {"head output", "key", "MLP output", "measured by patching"} <= set(plain)
    assert not {"cancellation", "saturated attention", "query", "MLP neuron"} & set(plain)
    assert {"cancellation", "saturated attention", "uncertain"} <= set(marked)


def folders(root: Path) -> list[tuple[Result, str]]:
    for name in ("plain", "marked"):
        (root / name).mkdir()
    return [(result(), "plain"), (exact_cancellation(), "marked")]


def test_everything_is_on_the_page():
    for made in (result, hostile, exact_cancellation):
        picture = figure(made())
        for item in picture.items:
            for x, y in places(item):
                assert -1 <= x <= picture.width + 1
                assert -1 <= y <= picture.height + 1


def places(item: Shape | Words) -> list[tuple[float, float]]:
    if isinstance(item, Words):
        return [(item.x, item.y)]
    return [
        point
        for _, values in item.steps
        for point in zip(values[::2], values[1::2], strict=True)
    ]


def test_hostile_texts_are_texts_in_svg(tmp_path: Path):
    root = drawn(hostile(), tmp_path)
    raw = (tmp_path / "a.svg").read_text(encoding="utf-8")
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}

    assert tags == {"svg", "title", "desc", "rect", "path", "text"}
    assert not any(payload in raw for payload in PAYLOADS)
    assert any("<img src=x" in text for text in texts(root))
    assert not re.search(r"\son\w+=|href|javascript:|url\(", re.sub(r">[^<]*<", "><", raw))


def test_texts_stay_texts_and_fonts_are_generic(tmp_path: Path):
    root = drawn(result(), tmp_path)

    assert root.get("font-family", "").endswith("sans-serif")
    assert len(texts(root)) > 30


def test_measured_nodes_are_solid_and_others_pale_and_dashed():
    facts = {"kind": "mlp", "effect": -1.0, "signed": 2.0, "verified": True}
    (solid,) = mark(facts, (0, 0, 5))
    (dashed,) = mark({**facts, "effect": None, "verified": False}, (0, 0, 5))

    assert isinstance(solid, Shape)
    assert isinstance(dashed, Shape)
    assert (solid.fill, solid.stroke, solid.dash) == (RED, RED, ())
    assert (dashed.fill, dashed.stroke) == (tint(BLUE), BLUE)
    assert dashed.dash


def test_each_flag_has_a_mark_of_its_own():
    node = {"kind": "heads.z", "effect": 1.0, "verified": True}
    looks = set()
    for flag in ("cancellation", "saturation", "uncertainty", "missed", "not-excluded"):
        items = tuple(mark({**node, "flags": [flag]}, (0, 0, 5)))
        assert len(items) > 1
        looks.add(items)

    assert len(looks) == 5


def test_every_kind_has_a_shape_and_a_short_name():
    assert set(SHAPES) == set(NODE_KINDS.names)
    assert short({"kind": "heads.k", "index": 2}) == "KV2"
    assert short({"kind": "neurons", "index": 7}) == "N7"
    assert short({"kind": "resid.mid", "index": None}) == "mid"


def brightness(shade: str) -> float:
    red, green, blue = channels(shade)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_signs_differ_in_print_without_colours():
    assert colour({"signed": 1.0}) != colour({"signed": -1.0})
    assert abs(brightness(BLUE) - brightness(RED)) > 20


def test_the_same_result_gives_the_same_svg(tmp_path: Path):
    export(result(), tmp_path / "a.svg")
    export(result(), tmp_path / "b.svg")

    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_denoising_run_says_so():
    found = result(outcome(), experiment=experiment())
    assert "corrupted run" in figure(found).about
    turned = figure(denoised()).items

    assert any(
        isinstance(item, Words) and item.text.startswith("atp, denoising: the corrupted run")
        for item in turned
    )


def denoised() -> Result:
    from dataclasses import replace

    computed = outcome()
    method = replace(computed.methods[0], call=call(direction="denoising"))
    return result(replace(computed, methods=(method,), verified=()))


# The magic numbers of the two formats.
BEGINS = {".png": b"\x89PNG\r\n\x1a\n", ".pdf": b"%PDF-1."}


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
@pytest.mark.parametrize("made", [result, hostile], ids=["plain", "hostile"])
def test_pictures_are_what_they_say_and_the_same_each_time(tmp_path: Path, suffix, made):
    pytest.importorskip("matplotlib")
    export(made(), tmp_path / f"a{suffix}")
    export(made(), tmp_path / f"b{suffix}")
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")

    assert one.startswith(BEGINS[suffix])
    assert one == two
    assert b"CreationDate" not in one


def test_the_png_shows_the_picture_at_300_dots_per_inch(tmp_path: Path):
    pyplot_image = pytest.importorskip("matplotlib.image")
    found = result()
    export(found, tmp_path / "a.png")
    pixels = pyplot_image.imread(tmp_path / "a.png")
    picture: Picture = figure(found)
    dot = lay_out(found.graph, found.record.pairs[0].clean.tokens).dots["heads.z.L0.H3@4"]
    scale = 300 / 72

    assert pixels.shape[1] == pytest.approx(picture.width * scale, abs=1)
    assert pixels.shape[0] == pytest.approx(picture.height * scale, abs=1)
    # The middle of the strongest node, which lowers the metric, found by its tip.
    shape = next(
        i for i in picture.items if isinstance(i, Shape) and i.tip.startswith("heads.z L0H3 @4")
    )
    corners = places(shape)
    x = sum(x for x, _ in corners) / len(corners)
    y = sum(y for _, y in corners) / len(corners)
    red, _, blue = pixels[round(y * scale), round(x * scale)][:3]
    assert dot.radius > 5
    assert red > blue


def test_matplotlib_is_needed_only_for_png_and_pdf(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("atpdsl.exports.choosing.find_spec", lambda _: None)
    export(result(), tmp_path / "a.svg")
    with pytest.raises(RunError) as error:
        export(result(), tmp_path / "a.png")

    (problem,) = error.value.problems
    assert problem.code == "ATP454"
    assert problem.help == 'pip install "atpdsl[plots]"'
    assert not (tmp_path / "a.png").exists()


def test_a_users_settings_of_matplotlib_change_nothing(tmp_path: Path):
    matplotlib = pytest.importorskip("matplotlib")
    export(result(), tmp_path / "a.png")
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "text.color": "red"}):
        export(result(), tmp_path / "b.png")

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_matplotlib_is_not_loaded_before_it_draws():
    code = "import sys, atpdsl.exports; print('matplotlib' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert run.stdout.strip() == "False"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.slow
def test_a_browser_draws_the_svg(tmp_path: Path):
    image = pytest.importorskip("matplotlib.image")
    export(hostile(), tmp_path / "a.svg")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
    size = "--window-size=1400,1200"
    shot = f"--screenshot={tmp_path / 'a.png'}"
    address = (tmp_path / "a.svg").as_uri()
    subprocess.run(["chromium", *flags, size, shot, address], check=True, capture_output=True)
    pixels = image.imread(tmp_path / "a.png")[..., :3]

    # Red and blue nodes are there, and most is white: no page that complains of bad XML.
    assert (pixels.mean(axis=2) > 0.98).mean() > 0.6
    for shade in (RED, BLUE):
        wanted = [channel / 255 for channel in channels(shade)]
        assert (abs(pixels - wanted).max(axis=2) < 0.02).sum() > 50


def test_labels_are_harmless():
    about = figure(hostile()).about

    assert about == harmless(about)
