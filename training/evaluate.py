"""Measures a shipped model with transformers alone.

    python -m training.evaluate atpdsl/embedded/tiny --pairs 300 --seed 991

Prints one row per task that the model is held to, and exits with 1 if a row misses its
threshold. `seen` counts the prompts that the training texts contain word for word.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from training import corpus
from training.tasks import GATES, INDUCTION, TASKS, Question, ask
from training.tokenizer import END_OF_TEXT_ID, FIRST_WORD_ID

REPEATED_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one model does on one task.

    `margin` is the mean difference between right and wrong words, in logits (in probability
    where the question goes by mass); `top` the share of prompts whose likeliest word is right.
    """

    count: int
    accuracy: float
    margin: float
    top: float
    seen: int | None = None


@torch.no_grad()
def last_logits(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], *, batch_size: int = 100
) -> Tensor:
    """Next-token logits after each prompt, `<|endoftext|>` prepended; shape [prompt, vocab]."""
    rows = []
    for start in range(0, len(prompts), batch_size):
        batch = [[END_OF_TEXT_ID, *prompt] for prompt in prompts[start : start + batch_size]]
        longest = max(map(len, batch))
        tokens = torch.full((len(batch), longest), END_OF_TEXT_ID)
        for row, prompt in zip(tokens, batch, strict=True):
            row[: len(prompt)] = torch.tensor(prompt)
        last = torch.tensor([len(prompt) - 1 for prompt in batch])
        mask = torch.arange(longest) <= last[:, None]
        logits = model(tokens, attention_mask=mask.long(), use_cache=False).logits
        rows.append(logits[torch.arange(len(batch)), last].float())
    return torch.cat(rows)


def word_ids(tokenizer: PreTrainedTokenizerBase, words: Iterable[str]) -> list[int]:
    """The ids of words that must be one token each."""
    ids = tokenizer(list(words), add_special_tokens=False)["input_ids"]
    if any(len(word) != 1 for word in ids):
        raise ValueError(f"not one token each: {words}")
    return [word[0] for word in ids]


def judge(question: Question, logits: Tensor, right: list[int], wrong: list[int]) -> Score:
    """One question's score."""
    top = float(int(logits.argmax()) in right)
    if question.by_mass:
        probabilities = logits.softmax(-1)
        margin = float(probabilities[right].sum() - probabilities[wrong].sum())
        return Score(count=1, accuracy=float(margin > 0), margin=margin, top=top)
    margin = float(logits[right].mean() - logits[wrong].mean())
    is_right = bool(logits[right].min() > logits[wrong].max())
    return Score(count=1, accuracy=float(is_right), margin=margin, top=top)


def score_task(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Question],
    *,
    seen: frozenset[str] | None = None,
) -> Score:
    """The mean score over one task's questions."""
    prompts = tokenizer([q.prompt for q in questions], add_special_tokens=False)["input_ids"]
    scores = [
        judge(
            question,
            logits,
            word_ids(tokenizer, question.right),
            word_ids(tokenizer, question.wrong),
        )
        for question, logits in zip(questions, last_logits(model, prompts), strict=True)
    ]
    return Score(
        count=len(scores),
        accuracy=fmean(score.accuracy for score in scores),
        margin=fmean(score.margin for score in scores),
        top=fmean(score.top for score in scores),
        seen=None if seen is None else sum(q.prompt in seen for q in questions),
    )


@torch.no_grad()
def score_induction(model: PreTrainedModel, *, count: int, seed: int) -> Score:
    """Next-token accuracy on the second half of random words said twice."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary: int = model.config.vocab_size
    half = torch.randint(
        FIRST_WORD_ID, vocabulary, (count, REPEATED_LENGTH), generator=generator
    )
    begin = torch.full((count, 1), END_OF_TEXT_ID)
    tokens = torch.cat([begin, half, half], 1)
    mask = torch.ones_like(tokens)
    logits = model(tokens, attention_mask=mask, use_cache=False).logits.float()
    predictions = logits[:, REPEATED_LENGTH + 1 : -1]
    answers = tokens[:, REPEATED_LENGTH + 2 :]
    right = predictions.gather(-1, answers[..., None])[..., 0]
    best = predictions.topk(2).values
    is_top = predictions.argmax(-1) == answers
    rival = torch.where(is_top, best[..., 1], best[..., 0])
    accuracy = float(is_top.float().mean())
    return Score(
        count=count, accuracy=accuracy, margin=float((right - rival).mean()), top=accuracy
    )


def score_all(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tasks: Iterable[str],
    *,
    pairs: int,
    seed: int,
    seen: frozenset[str] | None = None,
) -> dict[str, Score]:
    """Every named task's score on `pairs` questions drawn with `seed`."""
    return {
        task: score_induction(model, count=pairs, seed=seed)
        if task == INDUCTION
        else score_task(model, tokenizer, ask(task, count=pairs, seed=seed), seen=seen)
        for task in tasks
    }


def training_prompts(seed: int) -> frozenset[str]:
    """Every prompt that the training texts of a seed contain: what precedes each answer."""
    texts = corpus.sample_texts(seed=seed, count=corpus.POOL_SIZE)
    return frozenset(prompt for pieces in texts for prompt in accumulate(pieces[:-1]))


def failed_tasks(scores: dict[str, Score], gate: str) -> list[str]:
    """The tasks on which a model misses the threshold of its gate."""
    thresholds = GATES.get(gate, {})
    return [task for task, score in scores.items() if score.accuracy < thresholds.get(task, 0)]


def table(scores: dict[str, Score], gate: str) -> str:
    """The scores as a Markdown table."""
    thresholds = GATES.get(gate, {})
    lines = [
        "| task | pairs | accuracy | at least | margin | top-1 | seen |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, score in scores.items():
        least = f"{thresholds[task]:.2f}" if task in thresholds else "-"
        seen = "-" if score.seen is None else str(score.seen)
        lines.append(
            f"| {task} | {score.count} | {score.accuracy:.3f} | {least} "
            f"| {score.margin:.2f} | {score.top:.3f} | {seen} |"
        )
    return "\n".join(lines)


def load(directory: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model directory, loaded as any other, with no options but to stay off the network."""
    model = AutoModelForCausalLM.from_pretrained(directory, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
    return model, tokenizer


def record(scores: dict[str, Score]) -> dict[str, dict[str, float | None]]:
    """The scores as they go into `eval.json`."""
    return {
        task: {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in asdict(score).items()
        }
        for task, score in scores.items()
    }


def trained_seed(directory: Path) -> int | None:
    """The seed that a shipped model was trained with, from its `eval.json`."""
    path = directory / "eval.json"
    if not path.exists():
        return None
    seed = json.loads(path.read_text()).get("seed")
    return seed if isinstance(seed, int) else None


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=991)
    parser.add_argument(
        "--tasks", nargs="+", choices=(*TASKS, INDUCTION), help="instead of the model's own"
    )
    return parser.parse_args()


def main() -> int:
    """Prints the table; 1 when the model misses its gate."""
    options = arguments()
    gate = options.directory.resolve().name
    tasks = options.tasks or list(GATES.get(gate, TASKS))
    torch.set_num_threads(1)
    model, tokenizer = load(options.directory)
    seed = trained_seed(options.directory)
    seen = None if seed is None or tasks == [INDUCTION] else training_prompts(seed)
    scores = score_all(
        model, tokenizer, tasks, pairs=options.pairs, seed=options.seed, seen=seen
    )
    failures = failed_tasks(scores, gate)
    sys.stdout.write(table(scores, gate) + "\n")
    if failures:
        sys.stdout.write(f"below the threshold: {', '.join(failures)}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
