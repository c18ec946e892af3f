"""Topics of the language's form, which no table drives: positions, conditions, values."""

from __future__ import annotations

from atpdsl.reference.topic import Example, Table, Topic

_WRITTEN = ("written", "what it is")

POSITIONS = Topic(
    name="positions",
    doc="where nodes are, and where the metric is read",
    form="at POSITION, ...",
    example="heads.z at S2, last - 1, last",
    place=Example.NODES,
    about=(
        "A place may stand at another token in each prompt. Where a name has several tokens,"
        " its last one is meant. There is no default for nodes; the metric is read at `last`.",
    ),
    tables=(
        Table(
            title="",
            headings=_WRITTEN,
            rows=(
                ("`last`", "the last token of the prompt"),
                ("`every`", "a node for each token, counted from the start"),
                ("`sequence`", "one node over all tokens, patched at once"),
                ("`S2`", "a slot, a place named by `as`, or one named by `pos`"),
                ("`S2 + 1`, `last - 1`", "so many tokens after or before it"),
                ("`14`", "a token by its number, counted from 0"),
            ),
        ),
    ),
)
UNITS = Topic(
    name="units",
    doc="layers, heads and neurons of a selection, in brackets; all count from 0",
    form="KIND[UNITS, ...]",
    example="heads.z[L0H1, L2, L3H0..L3H2] at last",
    place=Example.NODES,
    tables=(
        Table(
            title="",
            headings=_WRITTEN,
            rows=(
                ("`[L9]`, `[9]`", "all of layer 9"),
                ("`[L8..L11]`, `[L8..]`, `[..L3]`", "layers, both ends included"),
                ("`[L9H6]`, `[L9H0..L9H3]`", "heads of layer 9"),
                ("`[L3N200]`", "a neuron of layer 3"),
                ("`L9H6`", "alone: the output of a head, `heads.z[L9H6]`"),
            ),
        ),
    ),
)
CONDITIONS = Topic(
    name="conditions",
    doc="what nodes, words and pairs have to fulfil: after `where`, and in `keep`",
    form="where CONDITION",
    example="heads.z at last where layer >= 2 and head in [0, 2..3]",
    place=Example.NODES,
    about=(
        "Of nodes it asks for `layer`, `head`, `kv_head`, `neuron` or `index`; of a slot for"
        " its words; in `keep` for the slots, places and columns of a pair.",
    ),
    tables=(
        Table(
            title="",
            headings=_WRITTEN,
            rows=(
                ("`==`, `!=`", "the same, different"),
                ("`<`, `<=`, `>`, `>=`", "of numbers"),
                ("`in [0, 2..3]`, `in 0..3`", "one of these; in a text, a part of it"),
                ("`and`, `or`, `not`, `( )`", "`not` binds most, then `and`, then `or`"),
            ),
        ),
    ),
)
VALUES = Topic(
    name="values",
    doc="numbers, words, strings, lists and ranges",
    tables=(
        Table(
            title="",
            headings=_WRITTEN,
            rows=(
                ("`20`, `0.5`, `1e-3`, `1_000`", "numbers"),
                ("`5%`", "a percentage, where a share is wanted"),
                ("`on`, `off`", "switches; also `true` and `false`"),
                (
                    '`"Mary"`',
                    'a string, with `\\n` `\\t` `\\r` `\\"` `\\\\` `\\u00e9` `\\u{1F600}`',
                ),
                ('`"""..."""`', "a string over several lines"),
                ('`r"\\w+"`', "a string without escapes and slots, for patterns"),
                ('`["a", "b"]`', "a list"),
                ("`0..3`, `8..`, `..3`", "a range, both ends included"),
                ("`32..98`", "in a list of words: a number each, with as many digits"),
                ("`+`, `-`, `*`, `/`", "of numbers; `+` also joins strings and lists"),
            ),
        ),
    ),
)
TEXTS = Topic(
    name="texts",
    doc="what stands in the braces of templates, prompts and answers",
    example='template "In {year:02} {S} met {IO:upper}. {S as S2} waved"\nslot year in 1..9',
    place=Example.PROMPTS,
    tables=(
        Table(
            title="",
            headings=_WRITTEN,
            rows=(
                ("`{S}`", "a slot, or a value of a `let`"),
                ("`{S as S2}`", "a slot at a place with a name of its own"),
                ("`{year:02}`", "a whole number with at least two digits"),
                ("`{S:upper}`, `{S:lower}`, `{S:title}`", "in other letters"),
                ("`{row.name}`, `{row.a.b}`", "a column; the part `b` of an object `a`"),
                ("`{{`, `}}`", "braces of the text"),
            ),
        ),
    ),
)
COMMENTS = Topic(
    name="comments",
    doc="`#` begins a comment; `##` one that belongs to the statement after it",
    example="# for nobody else\n## kept with the result, and shown by `atpdsl docs SPEC`\n"
    "run { seed = 1 }",
)

FORM_TOPICS = (POSITIONS, UNITS, CONDITIONS, VALUES, TEXTS, COMMENTS)
