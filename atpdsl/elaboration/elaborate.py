"""From the tree of a spec to the trees of its points.

1. Read the files that it includes; collect the names of all files (`loading`).
2. Order the names so that each comes after those in its value (`values`).
3. Settle parameters and the values of sweeps, given ones first (`parameters`, `axes`).
4. Join sets of prompts with those that they are made from (`prompt_sets`).
5. For each cell of the grid and each measured set put values where names stand (`points`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from atpdsl.elaboration.documented import definitions_of, warn_of_unused
from atpdsl.elaboration.loading import Loader
from atpdsl.elaboration.names import Names
from atpdsl.elaboration.naming import reserved_words
from atpdsl.elaboration.points import Points
from atpdsl.elaboration.program import Point, Program
from atpdsl.elaboration.prompt_sets import PromptSets
from atpdsl.problems import Source
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.schema import EDITION
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t
from atpdsl.syntax.limits import first_ones

NOTHING: Mapping[str, str] = {}
NO_WORDS = Vocabulary(methods=(), metrics=(), nodes=(), exports=(), executors=())


def elaborate(
    tree: t.SpecFile,
    source: Source,
    base: Path,
    given: Mapping[str, str] = NOTHING,
    *,
    vocabulary: Vocabulary = NO_WORDS,
) -> Program:
    """The points of a spec.

    Args:
        tree: the spec.
        source: its text.
        base: its folder, from which included files are looked for.
        given: values for `param` and `sweep` names, as written after `-p`.
        vocabulary: words that no name may be.
    """
    versions = [s for s in tree.statements if isinstance(s, t.Version)]
    if versions and versions[0].number.text != str(EDITION):
        return Program(source=source, points=(Point(tree=tree),))
    findings = Findings()
    # Later it is not known any more: the trees of the points lack statements.
    if versions and tree.statements[0] is not versions[0]:
        findings.error(
            "ATP102",
            f"`atp {EDITION}` has to come first",
            versions[0].span,
            advice="move it to the first line",
        )
    loader = Loader(source, reserved_words(vocabulary), findings)
    main = loader.spec(tree, base)
    names = Names(main, loader, findings)
    names.settle(given)
    sets = PromptSets(main, loader.modules, findings)
    points = Points(main, loader.source, sets, names.at, findings)
    made = points.make(names.axes)
    if not findings.problems:
        warn_of_unused(main, findings)
    return Program(
        source=loader.source,
        points=made,
        problems=first_ones(findings.problems),
        variables=tuple(name for name, _ in made[0].values),
        files=tuple(file.written for file in loader.included),
        included=tuple(loader.included),
        definitions=definitions_of(main, loader.modules, loader.source),
        params=names.settable.documented(),
    )
