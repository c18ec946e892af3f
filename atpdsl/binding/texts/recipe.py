"""What the templates of a `prompts` block share, parsed: slots, corruptions and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atpdsl.binding.texts.decks import Deck
from atpdsl.binding.texts.written import Pieces, pieces_of
from atpdsl.problems import Label, Problem, Severity, Span
from atpdsl.registry import closest
from atpdsl.semantics.experiment import Corruption, Slot, TemplatePrompts, Text
from atpdsl.semantics.template import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything of a `TemplatePrompts` but its templates.

    Attributes:
        corruptions: target -> what happens to it.
        fixed: target -> the pieces of its fixed text, where it has one.
        right, wrong: the pieces of each answer.
    """

    slots: tuple[Slot, ...]
    corruptions: Mapping[str, Corruption]
    fixed: Mapping[str, Pieces]
    right: tuple[Pieces, ...]
    wrong: tuple[Pieces, ...]
    answer_at: Span | None

    def corruption_of(self, piece: Piece) -> Corruption | None:
        """What happens to a piece: by its own position name, or else as one of its slot's."""
        by_label = self.corruptions.get(piece.label or "")
        return by_label or self.corruptions.get(piece.slot or "")

    def sources(self, corruption: Corruption) -> tuple[str, ...]:
        """Names whose values a corruption needs."""
        if corruption.slot is not None:
            return (corruption.slot,)
        return slot_names(self.fixed.get(corruption.target, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A template ready to be filled in.

    Attributes:
        slot_of: slot names and labels -> the slot.
    """

    template: Text
    pieces: Pieces
    slot_of: Mapping[str, str]
    decks: tuple[Deck, ...]


def slot_names(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The slots in a template, each once."""
    return tuple(dict.fromkeys(piece.slot for piece in pieces if piece.slot))


def read_recipe(part: TemplatePrompts) -> tuple[Recipe, tuple[Problem, ...]]:
    """Parse what the templates share."""
    problems: list[Problem] = []

    def parsed(text: Text) -> Pieces:
        pieces, found = pieces_of(text)
        problems.extend(found)
        return pieces

    answer = part.answer
    recipe = Recipe(
        slots=part.slots,
        corruptions={corruption.target: corruption for corruption in part.corruptions},
        fixed={
            corruption.target: parsed(Text(text=corruption.text, span=corruption.span))
            for corruption in part.corruptions
            if corruption.text is not None
        },
        right=tuple(parsed(text) for text in answer.right) if answer else (),
        wrong=tuple(parsed(text) for text in answer.wrong) if answer else (),
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
    used = set(slot_names(pieces))
    for answer in (*recipe.right, *recipe.wrong):
        used.update(slot_of[name] for name in slot_names(answer))
    for corruption in applying:
        used.update(slot_of[name] for name in recipe.sources(corruption))
    redrawn = tuple(corruption.target for corruption in applying if corruption.redraw)
    decks = (
        Deck(
            names=tuple(name for name in slot.names if name in used),
            targets=tuple(target for target in redrawn if slot_of[target] in slot.names),
            values=tuple(dict.fromkeys(slot.values)),
        )
        for slot in recipe.slots
    )
    return tuple(deck for deck in decks if deck.names)


def _unknown_names(
    template: Text, pieces: Pieces, recipe: Recipe, slot_of: Mapping[str, str]
) -> tuple[Problem, ...]:
    answer_at = recipe.answer_at or template.span
    answers = slot_names(piece for answer in (*recipe.right, *recipe.wrong) for piece in answer)
    used = [(name, template.span) for name in slot_names(pieces)]
    used += [(name, answer_at) for name in answers]
    for corruption in recipe.corruptions.values():
        used += [(name, corruption.span) for name in recipe.sources(corruption)]
    problems = []
    for name, span in used:
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
        needed = len(deck.factors)
        if needed <= len(deck.values):
            continue
        slot = next(slot for slot in recipe.slots if deck.names[0] in slot.names)
        names = ", ".join(f"`{name}`" for name in deck.names)
        redraws = f" and {len(deck.targets)} for the corruption" if deck.targets else ""
        problems.append(
            Problem(
                code="ATP242",
                message=f"the list of {names} has {_words(len(deck.values))}, and"
                f" {needed} different ones are drawn from it:"
                f" {len(deck.names)} for the prompt{redraws}",
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
