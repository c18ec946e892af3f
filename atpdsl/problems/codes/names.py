"""Codes of problems with names, included files, sweeps and sets of prompts (130 to 159)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

_PROMPTS = """\
prompts {name} {{
  template "{{IO}} saw {{S}}. Then {{S as S2}} was seen by"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {{IO}}" vs " {{S}}"
  count = 4
}}"""
_IOI = _PROMPTS.format(name="ioi")
_TWO_TASKS = """\
atp 1
include "lib:ioi" as names
include "lib:gender" as pronouns
model "tiny"
metric logit_diff at last
nodes { mlp at last }
method atp"""

_INCLUDES = (
    Code(
        code="ATP130",
        title="a file that may not be included",
        explanation="""\
A spec may come from anybody, so it only includes files of its own project: those below the
folder with a `pyproject.toml`, an `atpdsl.toml` or a `.git`, or below the spec's folder if
there is none. Links are followed before that is checked.""",
        bad='include "/etc/names.atp"',
        good='include "lib:names" as common\nverify { top = 20 }\n'
        + _IOI.replace('["Mary", "John", "Tom"]', "common.names"),
    ),
    Code(
        code="ATP131",
        title="a file that cannot be included",
        explanation="""\
The file is not there, cannot be read, or is no UTF-8 text; or too many files are included, one
inside the other. A path counts from the folder of the file in which it is written.""",
        bad='include "no_such_file.atp"',
        good="",
    ),
    Code(
        code="ATP132",
        title="no such file in the library",
        explanation="""\
`lib:` stands for the files that come with atpdsl. `atpdsl list` names them.""",
        bad='include "lib:nmaes"',
        good="",
    ),
    Code(
        code="ATP133",
        title="a file includes itself",
        explanation="""\
The file is included while it is being read, by itself or by way of others. Put what several
files need into one that includes none of them.""",
        bad='include "spec.atp"',
        good="",
    ),
    Code(
        code="ATP134",
        title="a file is included twice",
        explanation="Its names are there after the first time.",
        bad='include "lib:names" as here\ninclude "lib:names" as there',
        good="",
    ),
    Code(
        code="ATP135",
        title="a statement that has no place in an included file",
        explanation="""\
An included file brings names: by `include`, `let`, `param` and `prompts`. What is run, and on
which model, is said in the spec itself.""",
        bad="",
        good="",
    ),
)

_NAMES = (
    Code(
        code="ATP136",
        title="a name that is there already",
        explanation="""\
The names of `let`, `param`, `sweep`, `prompts`, `include ... as` and `method` are one family: a
name stands for one thing. Those of an included file are kept apart by `include "..." as NAME`:
they are then called `NAME.name`.""",
        bad="let steps = 5\nlet steps = 6\nverify { top = steps }",
        good="let steps = 5\nlet more = 6\nverify { top = steps; random = more }",
    ),
    Code(
        code="ATP137",
        title="a name that means something already",
        explanation="""\
Where the name stands, it could not be known which of the two is meant. Positions (`last`,
`every`), axes (`layer`, `head`), kinds of nodes, methods, metrics, functions and the words of
settings (`on`, `float32`) are not names of anything else.""",
        bad="let last = 5",
        good="let most = 5\nverify { top = most }",
    ),
    Code(
        code="ATP138",
        title="something that depends on itself",
        explanation="""\
To know the value, the value would have to be known; or a set of prompts is made from itself,
perhaps by way of others.""",
        bad="let a = b + 1\nlet b = a + 1\nverify { top = a }",
        good="let a = b + 1\nlet b = 1\nverify { top = a }",
    ),
    Code(
        code="ATP139",
        title="nothing to set from outside by that name",
        explanation="""\
`-p NAME=VALUE` sets a `param` or the values of a `sweep`; a `let` is the same in every run.
Those of a file that is included `as common` are called `common.NAME`.""",
        bad="",
        good="",
    ),
    Code(
        code="ATP140",
        title="a value that cannot be computed",
        explanation="""\
`+ - * /` go with numbers, and `+` also joins two texts or two lists. Units stay with their
numbers: `5% * 2` is 10%, and `5% + 1` is nothing.""",
        bad='let name = "gpt" + 2\nrun { device = name }',
        good="let most = 10 + 2\nverify { top = most }",
    ),
    Code(
        code="ATP141",
        title="no such name",
        explanation="""\
In strings outside of prompts `{name}` stands for the value of a `let`, `param` or `sweep`, and
`{{` for a brace. After the name of an `include ... as` stands a name of that file.""",
        bad='let size = 3\nexport "scores-{sise}.csv", "scores-{size}.csv"',
        good='let size = 3\nexport "scores-{size}.csv"',
    ),
    Code(
        code="ATP142",
        title="a value that cannot stand in a text",
        explanation="""\
Numbers, texts and words can be put into a text; lists and files cannot. `{step:03}` writes a
whole number with at least three digits, `{name:lower}` a word in small letters.""",
        bad='let sizes = [1, 2]\nexport "scores-{sizes}.csv"',
        good='let size = 7\nexport "scores-{size:03}.csv"',
    ),
    Code(
        code="ATP143",
        title="a value that a `param` or `sweep` cannot have",
        explanation="""\
Values from outside are of the kind of the default: a whole number, a text, `on` or `off`.
`min`, `max` and `choices` hold for the default, too. Several values with commas between them,
`-p size=70m,160m`, make a sweep.""",
        bad="param most = 0 { min = 1 }\nverify { top = most }",
        good="param most = 20 { min = 1 }\nverify { top = most }",
    ),
    Code(
        code="ATP144",
        title="too much behind a name",
        explanation="""\
Names that stand for names that stand for lists grow fast. Long lists of words are better kept
in a file: `slot NAME in lines("names.txt")`.""",
        bad="",
        good="",
    ),
)

_POINTS = (
    Code(
        code="ATP145",
        title="a `sweep` without values",
        explanation="""\
A sweep is over a list of numbers, texts and words, or over a range. Each value stands there
once, and none depends on another sweep.""",
        bad="sweep seed in 3\nrun { seed = seed }",
        good="sweep seed in 0..2\nrun { seed = seed }",
    ),
    Code(
        code="ATP146",
        title="too many points",
        explanation="""\
Several sweeps make a grid: a run for each combination of their values and each set of prompts.
Grids of more than 1,000 points are mostly mistakes.""",
        bad="sweep seed in 1..2_000\nrun { seed = seed }",
        good="sweep seed in 1..20\nrun { seed = seed }",
    ),
    Code(
        code="ATP147",
        title="sets of prompts that cannot be told apart",
        explanation="Where there are several sets of prompts, each has a name of its own.",
        bad=f"{_IOI}\n{_PROMPTS.format(name='')}",
        good=f"{_IOI}\n{_PROMPTS.format(name='others')}",
    ),
    Code(
        code="ATP148",
        title="no such set of prompts",
        explanation="""\
After `from` stands a set of the spec or of an included file, `common.ioi`; after `prompts =`
and `on =` a set of the spec.""",
        bad=f"{_IOI}\nprompts small from io {{ count = 8 }}",
        good=f"{_IOI}\nprompts small from ioi {{ count = 8 }}",
    ),
    Code(
        code="ATP149",
        title="which prompts are measured?",
        explanation="""\
A spec without `prompts` measures the set that an included file brings. Where files bring
several, write which one is meant: `prompts from ioi { }`.""",
        bad=_TWO_TASKS,
        good=_TWO_TASKS.replace(
            "metric", "prompts from names.ioi { }\nprompts from pronouns.gender { }\nmetric"
        ),
    ),
    Code(
        code="ATP151",
        title="a name that nothing uses",
        explanation="""\
It does nothing, and a sweep over it makes equal runs. Mostly a name is misspelled where it
should be used.""",
        bad="let most = 5",
        good="let most = 5\nverify { top = most }",
    ),
)

CODES_NAMES = (*_INCLUDES, *_NAMES, *_POINTS)
