"""What the templates of a `prompts` block share, parsed: slots, corruptions and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from atpdsl.binding.texts.decks import Deck, TableDeck, WordDeck
from atpdsl.binding.texts.sides import Side, read_side
from atpdsl.binding.texts.words import allowed_words
from atpdsl.binding.texts.written import Pieces, pieces_of
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Corruption, PairLet, Slot, TemplatePrompts, Text
from atpdsl.semantics.formulas import Formula, Tokens
from atpdsl.semantics.read_formulas import names_in
from atpdsl.semantics.template import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything of a `TemplatePrompts` but its templates.

    Attributes:
        slots: with the words that may be drawn.
        corruptions: target -> what happens to it.
        fixed: target -> the pieces of its fixed text, where it has one.
        right, wrong: the answers.
    """

    slots: tuple[Slot, ...]
    lets: tuple[PairLet, ...]
    keep: Formula | None
    corruptions: Mapping[str, Corruption]
    fixed: Mapping[str, Pieces]
    right: Side
    wrong: Side
    answer_at: Span | None

    def corruption_of(self, piece: Piece) -> Corruption | None:
        """What happens to a piece: by its own position name, or else as one of its slot's."""
        by_label = self.corruptions.get(piece.label or "")
        return by_label or self.corruptions.get(piece.slot or "")

    def sources(self, corruption: Corruption) -> tuple[str, ...]:
        """Names whose values a corruption needs."""
        if corruption.slot is not None:
            return (corruption.slot,)
        if corruption.formula is not None:
            return names_of(corruption.formula)
        return slot_names(self.fixed.get(corruption.target, ()))

    @property
    def answer_names(self) -> tuple[str, ...]:
        """Names whose values the answers need."""
        return (*self.right.names, *self.wrong.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A template ready to be filled in.

    Attributes:
        slot_of: slot and `let` names, and labels -> the slot or `let`.
    """

    template: Text
    pieces: Pieces
    slot_of: Mapping[str, str]
    decks: tuple[Deck, ...]


def slot_names(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The slots in a template, each once."""
    return tuple(dict.fromkeys(piece.slot for piece in pieces if piece.slot))


def names_of(formula: Formula) -> tuple[str, ...]:
    """The names in a formula."""
    return tuple(name for name, _ in names_in(formula.expression))


def read_recipe(
    part: TemplatePrompts, tokens: Tokens | None
) -> tuple[Recipe, tuple[Problem, ...]]:
    """Parse what the templates share, and leave out words that may not be drawn."""
    problems: list[Problem] = []

    def parsed(text: Text) -> Pieces:
        pieces, found = pieces_of(text)
        problems.extend(found)
        return pieces

    slots: list[Slot] = []
    for slot in part.slots:
        allowed, found = allowed_words(slot, tokens)
        slots.append(allowed)
        problems.extend(found)
    answer = part.answer
    right, wrong_right = read_side(answer.right if answer else ())
    wrong, wrong_wrong = read_side(answer.wrong if answer else ())
    problems.extend((*wrong_right, *wrong_wrong))
    recipe = Recipe(
        slots=tuple(slots),
        lets=part.lets,
        keep=part.keep,
        corruptions={corruption.target: corruption for corruption in part.corruptions},
        fixed={
            corruption.target: parsed(Text(text=corruption.text, span=corruption.span))
            for corruption in part.corruptions
            if corruption.text is not None
        },
        right=right,
        wrong=wrong,
        answer_at=answer.span if answer else None,
    )
    problems.extend(_repeated_values(part.slots))
    return recipe, tuple(problems)


def read_frame(template: Text, recipe: Recipe) -> tuple[Frame | None, tuple[Problem, ...]]:
    """Parse a template, and find what has to be drawn for it."""
    pieces, problems = pieces_of(template)
    if problems:
        return None, problems
    slot_of = {name: name for slot in recipe.slots for name in slot.names}
    slot_of |= {let.name: let.name for let in recipe.lets}
    slot_of |= {piece.label: piece.slot for piece in pieces if piece.label and piece.slot}
    problems = (
        *_unknown_names(template, pieces, recipe, slot_of),
        *_missing_targets(template, pieces, recipe),
    )
    if problems:
        return None, problems
    decks = _decks(pieces, recipe, slot_of)
    frame = Frame(template=template, pieces=pieces, slot_of=slot_of, decks=decks)
    return frame, _short_lists(decks, recipe)


def _applying(pieces: Pieces, recipe: Recipe) -> tuple[Corruption, ...]:
    found = (recipe.corruption_of(piece) for piece in pieces)
    return tuple(dict.fromkeys(corruption for corruption in found if corruption))


def _decks(pieces: Pieces, recipe: Recipe, slot_of: Mapping[str, str]) -> tuple[Deck, ...]:
    applying = _applying(pieces, recipe)
    named = {*slot_names(pieces), *recipe.answer_names}
    for corruption in applying:
        named.update(recipe.sources(corruption))
    named.update(() if recipe.keep is None else names_of(recipe.keep))
    for let in recipe.lets:
        named.update(names_of(let.formula))
    used = {slot_of[name] for name in named if name in slot_of}
    redrawn = tuple(corruption.target for corruption in applying if corruption.redraw)
    targets = {target: slot_of[target] for target in redrawn}
    return tuple(_deck(slot, used, targets) for slot in recipe.slots if used & {*slot.names})


def _deck(slot: Slot, used: set[str], targets: Mapping[str, str]) -> Deck:
    """What is drawn from a slot's list; `targets` are drawn again, each with its slot."""
    mine = {target: name for target, name in targets.items() if name in slot.names}
    if slot.rows:
        return TableDeck(names=slot.names, targets=tuple(mine.items()), rows=slot.rows)
    return WordDeck(
        names=tuple(name for name in slot.names if name in used),
        targets=tuple(mine),
        values=tuple(dict.fromkeys(slot.values)),
    )


def _uses(template: Text, pieces: Pieces, recipe: Recipe) -> Iterator[tuple[str, Span]]:
    """Every name that has to have a value, with the place to show where it has none."""
    yield from ((name, template.span) for name in slot_names(pieces))
    yield from ((name, recipe.answer_at or template.span) for name in recipe.answer_names)
    for corruption in recipe.corruptions.values():
        yield from ((name, corruption.span) for name in recipe.sources(corruption))
    formulas = (let.formula for let in recipe.lets)
    for formula in (*formulas, *(() if recipe.keep is None else (recipe.keep,))):
        yield from ((name, formula.span) for name in names_of(formula))


def _unknown_names(
    template: Text, pieces: Pieces, recipe: Recipe, slot_of: Mapping[str, str]
) -> tuple[Problem, ...]:
    problems = []
    for name, span in _uses(template, pieces, recipe):
        if name not in slot_of:
            near = closest(name, slot_of)
            problems.append(
                Problem(
                    code="ATP241",
                    message=f"there is no slot `{name}`",
                    at=Label(span),
                    help=f"did you mean `{near}`?" if near else f"add `slot {name} in [...]`",
                )
            )
    return tuple(problems)


def _missing_targets(template: Text, pieces: Pieces, recipe: Recipe) -> tuple[Problem, ...]:
    present = {name for piece in pieces for name in (piece.label, piece.slot) if name}
    problems = []
    for corruption in recipe.corruptions.values():
        if corruption.target not in present:
            near = closest(corruption.target, present)
            problems.append(
                Problem(
                    code="ATP244",
                    message=f"the template has no position `{corruption.target}` to corrupt",
                    at=Label(template.span),
                    also=(Label(corruption.span, "corrupted here"),),
                    help=f"did you mean `{near}`?"
                    if near
                    else f"name a place in it: `{{... as {corruption.target}}}`",
                )
            )
    return tuple(problems)


def _short_lists(decks: tuple[Deck, ...], recipe: Recipe) -> tuple[Problem, ...]:
    problems = []
    for deck in decks:
        needed = len(deck.drawn)
        if needed <= deck.size:
            continue
        slot = next(slot for slot in recipe.slots if deck.names[0] in slot.names)
        names = ", ".join(f"`{name}`" for name in deck.names)
        others = 1 if isinstance(deck, TableDeck) and deck.targets else len(deck.targets)
        redraws = f" and {others} for the corruption" if others else ""
        problems.append(
            Problem(
                code="ATP242",
                message=f"the list of {names} has {_words(deck.size)}, and"
                f" {needed} different ones are drawn from it:"
                f" {needed - others} for the prompt{redraws}",
                at=Label(slot.span),
                help="add words to the list",
            )
        )
    return tuple(problems)


def _words(count: int) -> str:
    return "1 word" if count == 1 else f"{count} different words"


def _repeated_values(slots: tuple[Slot, ...]) -> tuple[Problem, ...]:
    problems = []
    for slot in slots:
        counts = Counter(slot.values)
        repeated = [value for value, count in counts.items() if count > 1]
        if repeated:
            listed = ", ".join(f"`{value}`" for value in repeated[:3])
            more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
            problems.append(
                Problem(
                    code="ATP245",
                    message=f"the list repeats {listed}{more}",
                    at=Label(slot.span),
                    help="each word counts once",
                    severity=Severity.WARNING,
                )
            )
    return tuple(problems)
