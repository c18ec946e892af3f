"""Codes of problems with prompts and nodes that a spec alone shows (200 to 239)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

_PAIR = """\
prompts {
  pair "Ann went to" -> "Bob went to" { answer " Rome" vs " Paris" }
}"""

_GOOD_PROMPTS = """\
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
}"""

_YEARS = """\
prompts {
  template "The war lasted from the year {century}{start:02} to the year {century}"
  slot century in 11..19
  slot start in 2..98
  let next = start + 1
  corrupt start -> 1
  answer two_digits(next .. 99) vs two_digits(2 .. start)
}"""

_CAPITALS = """\
prompts {
  template "The capital of {country} is"
  slot country, city in table(["France", "Paris"], ["Italy", "Rome"])
  slot land, town    in table(["Japan", "Tokyo"], ["China", "Beijing"])
  corrupt country -> land
  answer " {city}" vs " {town}"
  count = 2
}"""

_PROMPTS = (
    Code(
        code="ATP203",
        title="a position's name is taken",
        explanation="""\
A slot gives its name to the place where it stands, `{S as S2}` gives a place a name of its
own, and `pos` finds one. Each name means one place, so that `at S2` is clear. `last`, `every`,
`sequence`, `row` and `other` mean something already.""",
        bad=_GOOD_PROMPTS.replace("S as S2", "S as IO").replace("corrupt S2", "corrupt S"),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP204",
        title="an empty list",
        explanation="A slot needs words to draw from, and an answer needs a text.",
        bad=_GOOD_PROMPTS.replace('"Mary", "John", "Tom"', ""),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP205",
        title="a slot's name is taken",
        explanation="""\
Every slot has a name of its own; `row`, `last`, `every`, `sequence` and `other` mean something
already.""",
        bad=_GOOD_PROMPTS.replace("slot IO, S", "slot IO, S, S"),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP206",
        title="not a position",
        explanation="""\
A position is a name (`last`, `S2`), a name and a number of tokens (`S2 + 1`), or a token's
number, counted from 0. A pattern gets a name first: `pos city = match(r"in (\\w+)")`.""",
        bad='nodes { heads.z at "last" }',
        good="nodes { heads.z at last }",
    ),
    Code(
        code="ATP207",
        title="the metric needs an answer",
        explanation="""\
Most metrics compare words that could come next, so the prompts must say which are right and
which are wrong. A `pair` has its own `answer`, or that of its block if that has no slots.""",
        bad=_GOOD_PROMPTS.replace('  answer " {IO}" vs " {S}"\n', ""),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP208",
        title="the metric needs a wrong answer",
        explanation="A difference is taken between right and wrong answers.",
        bad=_GOOD_PROMPTS.replace(' vs " {S}"', ""),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP209",
        title="nothing is corrupted",
        explanation="""\
Patching compares two prompts that differ in one thing. `corrupt` says what is different in
the second: `corrupt S2 -> IO` puts another slot's word there, `-> "Mary"` a fixed text, and
`-> other` another word of the slot's own list.""",
        bad=_GOOD_PROMPTS.replace("  corrupt S2 -> IO\n", ""),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP211",
        title="a place is corrupted twice",
        explanation="Only one word can stand there.",
        bad=_GOOD_PROMPTS.replace(
            "corrupt S2 -> IO", "corrupt S2 -> IO\n  corrupt S2 -> other"
        ),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP212",
        title="a corruption that changes nothing",
        explanation="The place has that slot's word already.",
        bad=_GOOD_PROMPTS.replace("corrupt S2 -> IO", "corrupt S2 -> S"),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP213",
        title="a line that does nothing",
        explanation="""\
`slot`, `corrupt` and `count` are about templates. A block that has only pairs has no use for
them: it has as many pairs as are written.""",
        bad=_PAIR.replace("}\n}", "}\n  count = 64\n}"),
        good=_PAIR,
    ),
    Code(
        code="ATP214",
        title="a slot that no template has",
        explanation="""\
A warning: nothing is drawn for the slot. Often a template says `{NAME}` where another slot
was meant.""",
        bad=_GOOD_PROMPTS.replace("  corrupt", '  slot place in ["store", "park"]\n  corrupt'),
        good=_GOOD_PROMPTS,
    ),
    Code(
        code="ATP215",
        title="a condition of a slot is about something else",
        explanation="""\
`where` behind a slot's list says which of its words may be drawn, before anything is drawn. It
knows only the names of its own line, each of which stands for the word. What the drawn words of
a pair must be to each other is said by `keep`.""",
        bad=_YEARS.replace("11..19", "11..19 where century < start"),
        good=_YEARS.replace("11..19", "11..19 where century > 12"),
    ),
    Code(
        code="ATP216",
        title="a format that does not fit",
        explanation="""\
`{NAME:02}` writes a whole number with two digits; the slot has words that are none. For words
there are `:upper`, `:lower` and `:title`.""",
        bad=_GOOD_PROMPTS.replace("{IO} and", "{IO:02} and"),
        good=_GOOD_PROMPTS.replace("{IO} and", "{IO:upper} and"),
    ),
    Code(
        code="ATP217",
        title="a value's name is taken",
        explanation="""\
A `let` in a `prompts` block gives a name to a value of each pair. Slots, places and other
`let`s of the block have names already, and some words mean something else.""",
        bad=_YEARS.replace("let next", "let next = 3\n  let next"),
        good=_YEARS,
    ),
    Code(
        code="ATP218",
        title="a value that nothing uses",
        explanation="""\
A warning: a `let` in a `prompts` block is there for the block's texts, its answers, `keep`, or
the metric, and none of them uses it. Often the name is misspelled where it is used.""",
        bad=_YEARS.replace("next .. 99", "start + 1 .. 99"),
        good=_YEARS,
    ),
    Code(
        code="ATP219",
        title="no other word to draw",
        explanation="""\
`other` is another word of the slot's list. A computed value has no list.""",
        bad=_YEARS.replace("{start:02}", "{next:02 as YY}").replace(
            "corrupt start -> 1", "corrupt YY -> other"
        ),
        good=_YEARS,
    ),
)

_FORMULAS = (
    Code(
        code="ATP230",
        title="a formula uses a name that it does not have",
        explanation="""\
Formulas in a `prompts` block, and in the metric, are made of the names of a pair: slots, places
(`{S as S2}`), `let`s that come before, and `row.column` for prompts from a file. A text stands
in double quotes.""",
        bad=_YEARS.replace("start + 1", "strat + 1"),
        good=_YEARS,
    ),
    Code(
        code="ATP231",
        title="no such function",
        explanation="""\
`atpdsl docs functions` shows all functions of formulas.""",
        bad=_YEARS.replace("two_digits(next", "twodigits(next"),
        good=_YEARS,
    ),
    Code(
        code="ATP232",
        title="a function is called wrongly",
        explanation="""\
Arguments of functions stand in their order, without names. `atpdsl docs functions` shows what
each function takes.""",
        bad=_YEARS.replace("two_digits(2 .. start)", "two_digits(2, start)"),
        good=_YEARS,
    ),
    Code(
        code="ATP233",
        title="not a formula",
        explanation="""\
A formula has numbers, texts, names, lists `[a, b]`, ranges `2..9` with two ends, `+ - * /`,
comparisons, `in`, `and`, `or`, `not`, and calls of functions. Texts and numbers are not mixed:
`int(...)` makes a number of a text, and `"{yy}"` a text of a number.""",
        bad=_YEARS.replace("start + 1", "start + 1%"),
        good=_YEARS,
    ),
    Code(
        code="ATP234",
        title="a row that does not fit its table",
        explanation="""\
`slot country, city in table(["France", "Paris"], ["Italy", "Rome"])` draws a row, and each
name gets the word of its column. So every row is a list with as many words as there are
names.""",
        bad=_CAPITALS.replace('"Italy", "Rome"', '"Italy"'),
        good=_CAPITALS,
    ),
)

_NODES = (
    Code(
        code="ATP220",
        title="no such kind of node",
        explanation="""\
Heads have four parts: `heads.q`, `heads.k`, `heads.v` and `heads.z`, the output. The others
are `attn`, `mlp`, `neurons`, `resid.pre`, `resid.mid`, `resid.post` and `embed`.""",
        bad="nodes { heads at every }",
        good="nodes { heads.z at every }",
    ),
    Code(
        code="ATP221",
        title="nodes without a place",
        explanation="""\
A node is a part of the model at a place in the prompt. `at every` makes a node of each
position, `at S2, last` one at each of these, and `at sequence` a single node that is patched
at all positions at once. They answer different questions, so none of them is the default.""",
        bad="nodes { heads.z }",
        good="nodes { heads.z at every }",
    ),
    Code(
        code="ATP222",
        title="not a layer or head",
        explanation="""\
In brackets stand layers, `[L9]`, `[L8..L11]`, `[L8..]`, heads, `[L9H6]`, or neurons,
`[L3N200]`. Layer 9, head 6 is `L9H6`, never `9.6`. Counting begins with 0.""",
        bad="nodes { heads.z[9.6] at last }",
        good="nodes { heads.z[L9H6] at last }",
    ),
    Code(
        code="ATP223",
        title="a condition that cannot be read",
        explanation="""\
A condition compares `layer`, `head`, `kv_head`, `neuron` or `index` with a number, or looks it
up in a range or list; conditions are joined by `and`.""",
        bad="nodes { heads.z at every where layer }",
        good="nodes { heads.z at every where layer >= 5 and head in [0, 2..4] }",
    ),
    Code(
        code="ATP224",
        title="nodes cannot be chosen by this",
        explanation="""\
Nodes can be chosen by `layer`, and by `head`, `kv_head` or `neuron`, which `index` stands for
in any kind.""",
        bad="nodes { heads.z at every where layers >= 5 }",
        good="nodes { heads.z at every where layer >= 5 }",
    ),
    Code(
        code="ATP225",
        title="not a range",
        explanation="""\
A range has the smaller number first and includes both ends: `L8..L11` is four layers. In a
slot or an answer it stands for numbers as words, with zeros as in its first one: `02..98`.""",
        bad="nodes { heads.z[L11..L8] at last }",
        good="nodes { heads.z[L8..L11] at last }",
    ),
    Code(
        code="ATP226",
        title="positions that do not go together",
        explanation="""\
`every` and `sequence` are all positions already. A metric reads the logits at one position.""",
        bad="nodes { heads.z at every, last }",
        good="nodes { heads.z at every }",
    ),
    Code(
        code="ATP227",
        title="no nodes",
        explanation="`nodes` lists the parts of the model whose effect is wanted.",
        bad="nodes { }",
        good="nodes { heads.z at every }",
    ),
    Code(
        code="ATP228",
        title="too many words",
        explanation="""\
The list of a slot, with the numbers of its ranges, has at most 100,000 words, and each side of
an `answer` at most 1,000: every answer is tokenised after every prompt.""",
        bad="""\
prompts {
  template "{N} is followed by"
  slot N in [0..60000, 60001..120000]
  corrupt N -> other
  answer " 1" vs " 2"
}""",
        good="""\
prompts {
  template "{N} is followed by"
  slot N in [0..99, 200..299]
  corrupt N -> other
  answer " 1" vs " 2"
}""",
    ),
)

CODES_PROMPTS = (*_PROMPTS, *_FORMULAS, *_NODES)
