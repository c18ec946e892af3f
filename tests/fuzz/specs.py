"""Random specs over the whole grammar, with every liberty that the layout leaves.

What is written is well formed and means nothing. All choices come from one `Random`: a seed
gives a spec again, and Hypothesis can hand in a `Random` of its own and shrink what it finds.
"""

from __future__ import annotations

from random import Random

from atpdsl.syntax.words import BODY_STATEMENTS, STATEMENTS

NAMES = (
    "x",
    "S2",
    "IO",
    "last",
    "L9H6",
    "L8",
    "heads",
    "atp",
    "r",
    "_",
    "e5",
    "every",
    "top",
    "on",
)
# Words of the language, which are names where they cannot be meant.
SOFT = ("at", "in", "as", "and", "or", "vs", "where", *STATEMENTS, "slot", "pair", "answer")
NUMBERS = ("0", "1", "20", "1_000", "0.5", "5%", "10min", "1e5", "1.5e-3", "02", "16GB", "99%")
TEXTS = (
    *(
        "",
        "Mary",
        " {IO}",
        "{{",
        "{yy:02 as YY}",
        "a # b",
        "a; b",
        "{ }",
        "é日本",
        "\U0001f600",
    ),
    *("\\n", '\\"', "\\\\", "\\u{1F600}", "\\u00e9", "[1, 2]", "->", "\u2028", "' '", "  "),
)
RAW_TEXTS = ("", r"a \w+ (friend)", r"\\", "# no", "{", "é", r"\d\d(\d\d)$")
LONG_TEXTS = (
    "",
    "a\nb",
    '"quoted" text',
    "\n  # no comment\n",
    "\\\n joined",
    "é\n\n\n日",
    "a\r\nb",
)
REMARKS = (
    "#",
    "# why",
    "## doc",
    "##",
    "#!x",
    "# é日本 \u3000",
    "# trailing  ",
    "### # ; { [",
    "#\t(",
)
OPERATORS = ("+", "-", "*", "/", "<", "<=", "==", "!=", ">=", ">", "and", "or", "in", "..")
DEEPEST = 4


class SpecWriter:
    """Writes one random spec."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.parts: list[str] = []
        # How many brackets are open; inside of them newlines mean nothing.
        self.brackets = 0
        self.depth = 0

    # ---- chances ----

    def chance(self, percent: int) -> bool:
        # Zero, to which Hypothesis shrinks, is no.
        return self.random.randrange(100) >= 100 - percent

    def one(self, choices: tuple[str, ...]) -> str:
        return choices[self.random.randrange(len(choices))]

    def some(self, most: int) -> range:
        return range(self.random.randrange(1, most + 1))

    # ---- what stands between words ----

    def gap(self, *, free: bool = False, needed: bool = False) -> None:
        """Space between two words; `free` where a newline means nothing."""
        if (free or self.brackets) and self.chance(12):
            self._line_end()
            self.parts.append(" " * self.random.randrange(4))
            return
        if self.chance(2):
            self.parts.append(" \\\n ")
        elif needed or self.chance(70):
            self.parts.append(" " if self.chance(85) else self.one(("  ", "\t", "     ")))

    def _line_end(self) -> None:
        for _ in self.some(2):
            if self.chance(40):
                self.parts.append(self.one(("", " ", "   ")) + self.one(REMARKS))
            self.parts.append("\n" if self.chance(90) else "\r\n")

    def end(self) -> None:
        """The end of a statement."""
        if self.chance(15):
            self.parts.append(self.one((";", " ; ", ";;", ";\n", "; \n\n")))
            return
        self._line_end()
        while self.chance(30):
            self._line_end()
        self.parts.append(self.one(("", "", "  ", "\t")))

    def word(self, text: str) -> None:
        """A word, with space before it."""
        self.gap(needed=bool(self.parts) and self.parts[-1][-1:].isalnum())
        if self.parts and (self.parts[-1][-1:].isalnum() or self.parts[-1][-1:] in "_%."):
            self.parts.append(" ")
        self.parts.append(text)

    def sign(self, text: str, *, continuing: bool = False) -> None:
        """A sign; after some of them a statement cannot be over."""
        # `atp*` is a word.
        needed = self.parts[-1].endswith("atp")
        self.gap(needed=needed or (text[0] in "-.*=<>!" and self.parts[-1][-1:] in "-.*=<>!"))
        self.parts.append(text)
        if continuing:
            self.gap(free=True)

    # ---- expressions ----

    def name(self, *, soft: bool = True) -> None:
        self.word(self.one(SOFT) if soft and self.chance(15) else self.one(NAMES))

    def string(self) -> None:
        kind = self.random.randrange(10)
        if kind == 0:
            self.word('"""' + self.one(LONG_TEXTS) + '"""')
        elif kind == 1:
            self.word('r"' + self.one(RAW_TEXTS) + '"')
        else:
            pieces = [self.one(TEXTS) for _ in self.some(1 if self.chance(80) else 12)]
            self.word('"' + "".join(pieces) + '"')

    def listed(self, item: str, most: int = 3) -> None:
        """Items with commas between them."""
        for number in self.some(most):
            if number:
                self.sign(",", continuing=True)
            getattr(self, item)()

    def expression(self) -> None:
        self.depth += 1
        shape = self.random.randrange(14 if self.depth < DEEPEST else 7)
        if shape < 3:
            self.word("atp*") if self.chance(5) else self.name()
        elif shape < 5:
            self.word(self.one(NUMBERS))
        elif shape < 7:
            self.string()
        elif shape < 10:
            self._operation()
        else:
            (self._list, self._call, self._index, self._attribute)[shape - 10]()
        self.depth -= 1

    def operand(self) -> None:
        """An expression that binds more tightly than any operator."""
        if self.chance(25) and self.depth < DEEPEST:
            self._bracketed("(", ")", "expression", most=1)
        elif self.chance(60):
            self.name(soft=False)
        else:
            self.word(self.one(NUMBERS))

    def _operation(self) -> None:
        if self.chance(15):
            self.word("not")
        if self.chance(15):
            self.sign("-", continuing=True)
        self.operand()
        operator = self.one(OPERATORS)
        if operator == "..":
            self.sign("..")
            if self.chance(70):
                self.operand()
        elif operator.isalpha():
            self.word(operator)
            self.operand()
        else:
            self.sign(operator, continuing=True)
            self.operand()
        if operator in "+-*/" and self.chance(30):
            self.sign("..")
            self.operand()

    def _bracketed(self, opening: str, closing: str, item: str, *, most: int) -> None:
        self.sign(opening)
        self.brackets += 1
        self.listed(item, most)
        if most > 1 and opening + item != "[expression_in_brackets" and self.chance(20):
            self.sign(",")
        self.gap()
        self.brackets -= 1
        self.parts.append(closing)

    def _list(self) -> None:
        if self.chance(10):
            self.parts.append(" []")
        else:
            self._bracketed("[", "]", "expression", most=16 if self.chance(20) else 3)

    def _call(self) -> None:
        self.name(soft=False)
        if self.chance(10):
            self.parts.append("( )")
        else:
            self._bracketed("(", ")", "argument", most=5 if self.chance(20) else 2)

    def argument(self) -> None:
        if self.chance(30):
            self.name()
            self.sign("=")
        self.expression()
        if self.chance(10):
            self.word("at")
            self.expression()

    def expression_in_brackets(self) -> None:
        self.expression()

    def _index(self) -> None:
        self.name(soft=False)
        self._bracketed("[", "]", "expression_in_brackets", most=3)

    def _attribute(self) -> None:
        self.name(soft=False)
        for _ in self.some(3):
            self.sign(".")
            self.gap()
            self.parts.append(self.one(("q", "pre", "e5", "x_1", "in", "model")))

    # ---- statements ----

    def spec(self) -> str:
        """The whole text."""
        if self.chance(30):
            self._line_end()
        for number in range(self.random.randrange(7)):
            if number:
                self.end()
            self.statement()
        while self.chance(50):
            self._line_end()
        return "".join(self.parts)

    def statement(self) -> None:
        word = self.one(STATEMENTS)
        self.parts.append(word)
        if word == "atp":
            self.word(self.one(("1", "2")))
        elif word == "include":
            self.string()
            if self.chance(50):
                self.word("as")
                self.name()
        elif word in ("let", "param"):
            self.name()
            self.sign("=")
            self.expression()
            self._perhaps_body(50 if word == "param" else 0)
        elif word == "sweep":
            self.name()
            self.word("in")
            self.expression()
        elif word in ("model", "metric", "method"):
            self._declaration(word)
        elif word == "export":
            self.listed("expression", 8 if self.chance(30) else 3)
        else:
            self._block(word)

    def _declaration(self, word: str) -> None:
        if self.chance(40):
            self.name()
            self.sign("=")
        if word == "method" and self.chance(30):
            self.word("atp*")
        else:
            self.expression()
        if word == "metric" and self.chance(50):
            self.word("at")
            self.listed("expression")
        self._perhaps_body(40)

    def _block(self, word: str) -> None:
        if self.chance(30):
            self.name(soft=False)
        if word == "prompts" and self.chance(30):
            self.word("from")
            self.expression()
        self._body()

    def _perhaps_body(self, percent: int) -> None:
        if self.depth < DEEPEST and self.chance(percent):
            self._body()

    def _body(self) -> None:
        self.depth += 1
        self.sign("{")
        short = self.chance(40)
        if not short:
            self._line_end()
        for number in range(self.random.randrange(6)):
            if number:
                self.parts.append("; ") if short else self.end()
            self.body_statement()
        if self.chance(60) and not short:
            self._line_end()
        self.gap(free=self.parts[-1] == "{")
        self.parts.append("}")
        self.depth -= 1

    def body_statement(self) -> None:
        word = self.one(("setting", "select", "setting", "select", *BODY_STATEMENTS))
        getattr(self, f"_{word}")()

    def _setting(self) -> None:
        self.parts.append(self.one((*NAMES, "method", "from", "keep", "a_rather_long_setting")))
        self.sign("=")
        if self.chance(10):
            self.word("atp*")
        else:
            self.expression()
        self._perhaps_body(10)

    def _select(self) -> None:
        self.parts.append(self.one(NAMES))
        while self.chance(40):
            self.sign(",", continuing=True)
            self.expression()
        if self.chance(20):
            self.sign("->", continuing=True)
            self.listed("expression")
        if self.chance(60):
            self.word("at")
            self.listed("expression")
        self._perhaps_where()
        self._perhaps_body(15)

    def _perhaps_where(self) -> None:
        if self.chance(20):
            self.word("where")
            self.expression()

    def _pair(self) -> None:
        self.parts.append("pair")
        self.string()
        self.sign("->", continuing=True)
        self.string()
        self._perhaps_body(70)

    def _template(self) -> None:
        self.parts.append("template")
        self.string()

    def _slot(self) -> None:
        self.parts.append("slot")
        self.listed("name", 3)
        self.word("in")
        self.expression()
        self._perhaps_where()

    def _corrupt(self) -> None:
        self.parts.append("corrupt")
        self.listed("name", 2)
        self.sign("->", continuing=True)
        self.listed("expression", 2)

    def _answer(self) -> None:
        self.parts.append("answer")
        self.expression()
        if self.chance(70):
            self.word("vs")
            self.expression()

    def _pos(self) -> None:
        self.parts.append("pos")
        self.name()
        self.sign("=")
        self.expression()

    def _let(self) -> None:
        self.parts.append("let")
        self.name()
        self.sign("=")
        self.expression()


def write_spec(random: Random) -> str:
    """A random spec."""
    return SpecWriter(random).spec()
