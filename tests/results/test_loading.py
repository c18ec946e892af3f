"""A result's folder may come from a stranger: whatever is in it, the answer is a problem."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atpdsl.problems import RunError
from atpdsl.results.result import Result
from tests.results.raw import diagnosed_result
from tests.results.samples import result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    result().save(tmp_path / "ioi")
    return tmp_path / "ioi"


def change(folder: Path, edit: Callable[[Any], object]) -> None:
    path = folder / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def replace_table(folder: Path, table: pa.Table) -> None:
    """Another table, with a digest that fits."""
    pq.write_table(table, folder / "scores.parquet")
    digest = hashlib.sha256((folder / "scores.parquet").read_bytes()).hexdigest()
    change(folder, lambda document: document["scores"].update(sha256=digest))


def refused(folder: Path) -> tuple[str, str]:
    with pytest.raises(RunError) as error:
        Result.load(folder)
    (problem,) = error.value.problems
    assert problem.help
    return problem.code, problem.message


def test_a_missing_folder_is_named(tmp_path: Path):
    found, message = refused(tmp_path / "nothing")

    assert found == "ATP443"
    assert "there is no such folder" in message


def test_a_folder_without_a_result_is_named(tmp_path: Path):
    assert refused(tmp_path) == (
        "ATP443",
        f"no result in `{tmp_path}`: it has no `result.json`",
    )


def test_a_spec_is_not_a_result(tmp_path: Path):
    (tmp_path / "ioi.atp").write_text("atp 1")

    assert refused(tmp_path / "ioi.atp")[1].endswith("it is a file")


def test_the_path_of_result_json_will_do(folder: Path):
    assert Result.load(folder / "result.json").directory == folder


def test_missing_scores_are_named(folder: Path):
    (folder / "scores.parquet").unlink()

    assert refused(folder) == ("ATP443", f"no result in `{folder}`: it has no `scores.parquet`")


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ("atpdsl/result/2", "is of an earlier version"),
        ("atpdsl/result/9", "is of a later version"),
        ("atpdsl/sweep/1", "has no schema of a result"),
        (None, "has no schema of a result"),
    ],
)
def test_another_version_is_refused_and_named(folder: Path, schema, what):
    change(folder, lambda document: document.update(schema=schema))

    assert refused(folder) == (
        "ATP445",
        f"`{folder / 'result.json'}` {what}: it says {json.dumps(schema)}, this version reads"
        " `atpdsl/result/4`",
    )


CIRCUIT = {"method": "atp", "keep": "top", "amount": 3.0, "nodes": 3, "left_out": 0}
EDITS = {
    "no methods": lambda d: d.update(methods=[]),
    "no spec": lambda d: d.pop("spec"),
    "pairs are a number": lambda d: d.update(pairs=3),
    "no digest": lambda d: d.update(scores=None),
    "unknown node kind": lambda d: d["nodes"][0].update(kind="heads.x"),
    "no heads": lambda d: d["provenance"]["model"]["shape"].update(n_heads=0),
    "heads do not divide": lambda d: d["provenance"]["model"]["shape"].update(n_kv_heads=3),
    "position gone": lambda d: d["positions"].pop(),
    "method renamed": lambda d: d["methods"][0].update(label="other"),
    "export outside": lambda d: d.update(exports=["../../thesis.tex"]),
    "export absolute": lambda d: d.update(exports=["/etc/passwd"]),
    "unknown rule of a circuit": lambda d: d.update(circuit=CIRCUIT | {"keep": "all"}),
    "circuit of no method": lambda d: d.update(circuit=CIRCUIT | {"method": "other"}),
    "number too large": lambda d: d["metric"].update(clean=10**400),
    "null byte": lambda d: d.update(exports=3),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_changed_record_is_damaged(folder: Path, edit):
    change(folder, edit)

    assert refused(folder)[0] == "ATP444"


@pytest.mark.parametrize(
    "text", ["", "[]", "nonsense", "\ufeff{}", "[" * 200_000, '{"a": NaN}']
)
def test_a_record_that_is_none_is_damaged(folder: Path, text):
    (folder / "result.json").write_text(text, encoding="utf-8")

    assert refused(folder)[0] in {"ATP444", "ATP445"}


def test_bytes_that_are_no_text_are_damaged(folder: Path):
    (folder / "result.json").write_bytes(b"\xff\xfe{")

    assert refused(folder) == (
        "ATP444",
        f"`{folder / 'result.json'}` is damaged: it is no text",
    )


def test_changed_scores_are_noticed(folder: Path):
    content = bytearray((folder / "scores.parquet").read_bytes())
    content[100] ^= 1
    (folder / "scores.parquet").write_bytes(bytes(content))

    assert "not the file" in refused(folder)[1]


def test_other_columns_are_refused(folder: Path):
    replace_table(folder, pa.table({"a": [1]}))

    assert "columns" in refused(folder)[1]


def test_scores_of_unknown_nodes_are_refused(folder: Path):
    table = pq.read_table(folder / "scores.parquet")
    kinds = pa.DictionaryArray.from_arrays(
        pa.array([0] * len(table), pa.int32()), pa.array(["heads.x"])
    )
    replace_table(folder, table.set_column(1, table.schema.field("kind"), kinds))

    assert "a kind that" in refused(folder)[1]


def test_nulls_where_there_can_be_none_are_refused(folder: Path):
    table = pq.read_table(folder / "scores.parquet")
    kinds = pa.DictionaryArray.from_arrays(
        pa.array([None] * len(table), pa.int32()), pa.array(["mlp"])
    )
    replace_table(folder, table.set_column(1, table.schema.field("kind"), kinds))

    assert refused(folder)[0] == "ATP444"


def fate(folder: Path) -> str:
    try:
        loaded = Result.load(folder)
        loaded.top(5)
        loaded.circuit()
    except RunError as error:
        return error.problems[0].code
    return "loaded"


@pytest.mark.parametrize("seed", range(30))
def test_random_damage_is_a_problem_or_harmless(folder: Path, seed):
    draw = np.random.default_rng(seed)
    path = folder / ("result.json", "scores.parquet")[draw.integers(2)]
    content = np.frombuffer(path.read_bytes(), np.uint8).copy()
    content[draw.integers(len(content), size=10)] = draw.integers(256, size=10)
    kept = len(content) if draw.random() < 0.5 else draw.integers(len(content))
    path.write_bytes(content[:kept].tobytes())

    assert fate(folder) in {"ATP443", "ATP444", "ATP445", "loaded"}


# ---- results with diagnostics ----


@pytest.fixture
def diagnosed(tmp_path: Path) -> Path:
    diagnosed_result().save(tmp_path / "star")
    return tmp_path / "star"


def test_a_result_with_every_diagnostic_loads_as_it_was(diagnosed: Path):
    saved = diagnosed_result()
    loaded = Result.load(diagnosed)

    assert loaded.record == saved.record
    assert loaded.table.equals(saved.table)
    assert loaded.top_rows(3)[0].more == saved.top_rows(3)[0].more


WRONG_COLUMNS = {
    "unknown": lambda t: t.append_column("luck", t["score"]),
    "out of order": lambda t: t.select([*t.column_names[:-2], *t.column_names[:-3:-1]]),
    "twice": lambda t: t.append_column("flags", t["flags"]),
    "of another type": lambda t: t.set_column(
        t.column_names.index("upper_99"), "upper_99", t["flags"]
    ),
    "one that is always there is not": lambda t: t.drop_columns("sign_flips"),
    "no confidence": lambda t: t.rename_columns(
        ["upper_9" if name == "upper_90" else name for name in t.column_names]
    ),
}


@pytest.mark.parametrize("edit", WRONG_COLUMNS.values(), ids=WRONG_COLUMNS)
def test_columns_that_are_not_those_of_scores_are_refused(diagnosed: Path, edit):
    replace_table(diagnosed, edit(pq.read_table(diagnosed / "scores.parquet")))

    assert "columns" in refused(diagnosed)[1]


def test_a_bound_that_was_not_computed_is_damage(diagnosed: Path):
    change(diagnosed, lambda document: document["bounds"][0].update(confidence=0.5))

    assert refused(diagnosed)[0] == "ATP444"


def test_a_table_without_the_bounds_of_its_record_is_damage(diagnosed: Path):
    table = pq.read_table(diagnosed / "scores.parquet")
    replace_table(diagnosed, table.drop_columns(["upper_95"]))

    assert "upper_95" in refused(diagnosed)[1]
