"""`atpdsl show`: nodes, the picture of layers and positions, one kind."""

from __future__ import annotations

import io
import json
import re
import sys

import numpy as np
import pytest

from atpdsl.cli import main
from atpdsl.cli.sparks import level_of, overview, single, size_at
from atpdsl.cli.terminal import show
from atpdsl.results.heat import Heat, heats
from atpdsl.results.record import PositionRecord
from tests.cli.test_output import Tty, golden
from tests.cli.test_startup import loaded
from tests.results.samples import EMBED, MLPS, outcome, result

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def heat(
    strength: list[list[float]], *, kind: str = "mlp", labels: list[str] | None = None, **rest
) -> Heat:
    values = np.array(strength, np.float64)
    return Heat(
        kind=kind,
        layers=rest.get("layers", tuple(range(len(values)))),
        positions=tuple(labels or map(str, range(values.shape[1]))),
        strength=np.abs(values),
        sign=np.sign(values),
    )


def positions(tokens: dict[str, str]) -> tuple[PositionRecord, ...]:
    return tuple(
        PositionRecord(
            label=label, index=number, token=token, pairs=1, same_index=True, same_token=True
        )
        for number, (label, token) in enumerate(tokens.items())
    )


def drawn(*pictures: Heat, width: int = 80) -> list[str]:
    return [line.plain for line in overview(pictures, width)]


def test_show_has_ten_nodes_and_a_picture(capsys):
    result().save("runs/ioi")
    assert main(["show", "runs/ioi"]) == 0
    text = capsys.readouterr().out

    assert text == golden("show.txt", text)
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) < 45


def test_a_longer_list_has_no_picture(capsys):
    result().save("ioi")
    main(["show", "ioi", "--top", "12"])

    assert "strongest node" not in capsys.readouterr().out


def test_one_kind_is_drawn_with_all_layers_and_tokens(capsys):
    result().save("ioi")
    assert main(["show", "ioi", "--kind", "heads.z"]) == 0
    text = capsys.readouterr().out

    assert text == golden("show_kind.txt", text)


def test_one_kind_as_json_has_the_numbers(capsys):
    made = result()
    made.save("ioi")
    main(["show", "ioi", "--kind", "mlp", "--json"])
    document = json.loads(capsys.readouterr().out)
    picture = heats(made.record, made.table, "atp")[-1]

    assert document["schema"] == "atpdsl/layers-by-positions/1"
    assert document["positions"] == ["S2", "last"]
    assert document["layers"] == [0, 1]
    assert np.array(document["score"]) == pytest.approx(picture.strength)
    assert document["sign"] == picture.sign.tolist()


def test_a_kind_that_is_not_there_is_a_mistake_of_usage(capsys):
    result().save("ioi")

    assert main(["show", "ioi", "--kind", "heads.zz"]) == 2
    assert "did you mean `heads.z`?" in capsys.readouterr().err
    assert main(["show", "ioi", "--kind", "\x1b[2J"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_method_beside_others_has_its_name_above_the_picture(capsys):
    result(outcome(exact=True, verified=())).save("ioi")
    main(["show", "ioi", "--method", "ap"])

    assert "layers and positions by ap" in capsys.readouterr().out


def test_levels_are_roots_so_that_a_sixtieth_is_seen():
    levels = level_of(np.array([1.0, 0.25, 1 / 64, 1 / 300, 0.0, np.nan]), 1.0)

    assert levels.tolist() == [8, 4, 1, 0, 0, -1]
    assert size_at(4, 20.0) == 5.0
    assert level_of(np.array([0.0, np.nan]), 0.0).tolist() == [0, -1]


def test_size_and_sign_are_in_every_cell():
    lines = drawn(heat([[4.0, -1.0], [0.0001, 2.0]]))

    assert lines[0].split() == ["mlp"]
    assert lines[1].split() == ["0", "1"]
    assert lines[2].split() == ["L0", "+█", "-▄"]
    assert lines[3].split() == ["L1", ".", "+▆"]


def test_positions_and_kinds_with_nothing_to_see_are_left_out():
    lines = drawn(heat([[0.0, 3.0, 0.0]], labels=["a", "b", "c"]), heat([[0.0]], kind="attn"))

    assert lines[1].split() == ["b"]
    assert "attn" not in "\n".join(lines)
    assert drawn(heat([[0.0]])) == []
    assert list(single(heat([[0.0]]), (), 80)) == []


def test_kinds_that_do_not_fit_are_named():
    many = [
        heat([[float(n + 1)] * 12], kind=kind, labels=[f"p{i}" for i in range(12)])
        for n, kind in enumerate(("heads.q", "heads.k", "heads.v", "mlp"))
    ]
    lines = drawn(*many)

    # The strongest that fit, in the order of the record.
    assert lines[0].split() == ["mlp"] or lines[0].split()[-1] == "mlp"
    assert "Not drawn: heads.q" in lines[-1]
    assert max(map(len, lines[:-1])) <= 80


def test_many_layers_share_rows_in_the_overview_only():
    deep = heat([[1.0 + (n == 17)] for n in range(40)])
    lines = drawn(deep)
    alone = [line.plain for line in single(deep, (), 80)]

    assert lines[2].split()[0] == "L0-3"
    assert len(lines) <= 2 + 12 + 2
    # The strongest layer of a group stands for it.
    assert next(line for line in lines if line.startswith("L16-19")).split()[1] == "+█"
    assert sum(line.startswith("L") for line in alone) == 40


def test_many_positions_share_columns():
    wide = heat([list(range(1, 201))], labels=[str(n) for n in range(200)])
    lines = [line.plain for line in single(wide, (), 80)]

    assert max(map(len, lines[:3])) <= 80
    assert "199" not in lines[1]
    assert lines[2].count("+") <= 26


def test_a_kind_without_layers_has_a_row_of_its_own():
    made = result(outcome([MLPS, EMBED], verified=()))
    lines = drawn(*heats(made.record, made.table, "atp"))

    assert [line.split()[0] for line in lines[2:5]] == ["embed", "L0", "L1"]


def test_tokens_stand_below_positions_and_are_harmless(capsys):
    tokens = {"0": "\x1b[31m", "1": " [bold]", "2": "漢字漢字漢字"}
    lines = list(single(heat([[1.0, 2.0, 3.0]]), positions(tokens), 80))
    show(*lines)
    out = capsys.readouterr().out

    assert "[bold]" in out
    assert not CONTROL.search(out)
    assert "漢字" in out


def test_long_names_of_positions_are_cut():
    lines = drawn(heat([[1.0, 2.0]], labels=["the_first_subject", "\x1b]0;x\x07"]))

    assert max(map(len, lines[:3])) <= 80
    assert not any(CONTROL.search(line) for line in lines)


def test_a_terminal_without_blocks_gets_digits(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    show(*overview([heat([[4.0, -1.0]])], 80))
    stream.flush()

    assert b"L0  +8 -4" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_colours_say_the_sign_too_where_they_are_wanted(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Tty())
    show(*overview([heat([[4.0, -4.0]])], 80))
    text = sys.stdout.getvalue()
    plus, minus = (re.search(rf"(\x1b\[[0-9;]*m)\{mark}█", text) for mark in "+-")

    assert plus is not None
    assert minus is not None
    assert plus[1] != minus[1]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_codes_where_none_are_wanted(monkeypatch, variable, value):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "stdout", Tty())
    show(*overview([heat([[4.0, -4.0]])], 80))

    assert "\x1b" not in sys.stdout.getvalue()
    assert "+█ -█" in sys.stdout.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        ["show", "ioi"],
        ["diff", "ioi", "ioi"],
        ["diff", "ioi", "ioi", "--html", "d.html"],
        ["view", "ioi", "--no-open"],
        ["test", "ioi"],
    ],
)
def test_looking_at_results_imports_no_torch(words):
    result().save("ioi")
    heavy = {"torch", "transformers", "transformer_lens", "IPython", "matplotlib"}

    assert heavy.isdisjoint(loaded(f"from atpdsl.cli import main; main({words!r})"))
