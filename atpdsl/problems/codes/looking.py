"""Problems with looking at results: comparing, serving, notebooks."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

CODES_LOOKING = (
    Code(
        code="ATP460",
        title="two results have no method in common",
        explanation="`atpdsl diff` compares methods of the same label. Where no label is in "
        "both, and one of the results has several methods, say which of the one belongs to "
        "which of the other: `atpdsl diff A B --method 'atp=atp*'`.",
        bad="",
        good="",
    ),
    Code(
        code="ATP461",
        title="the port cannot be had",
        explanation="`atpdsl view RESULT --serve PORT` serves one page on 127.0.0.1. Another "
        "program uses the port, or the system keeps it for itself (below 1024, mostly). "
        "`--serve` without a number takes one that is free.",
        bad="",
        good="",
    ),
    Code(
        code="ATP462",
        title="the options of the magic are not understood",
        explanation="`%%atp NAME` runs the cell as a spec and calls the result NAME; `%atp "
        "FILE` runs a spec file. Both take `--out DIR`, `--overwrite`, `--check`, `--quiet` "
        "and `-p name=value`. `%atp --help` lists them.",
        bad="",
        good="",
    ),
    Code(
        code="ATP463",
        title="a sweep needs a folder",
        explanation="A cell of one point keeps its result in memory. A sweep has a result for "
        "every point, and they are kept in a folder: `%%atp NAME --out runs/sweep`.",
        bad="",
        good="",
    ),
)
