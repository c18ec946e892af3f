"""Metrics as a spec says them, on the embedded model, against its plain logits.

Here the tokens, too, are found by hand: by their texts in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

import atpdsl
from atpdsl.models.catalogue import EMBEDDED
from atpdsl.models.tokenizer import load_tokenizer
from atpdsl.results.result import Result
from tests.oracle.float64 import in_float64

IOI = """\
prompts {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a drink to"
  template "{IO} met {S} near the {place}. Later, {S as S2} gave a ring to"
  slot IO, S in ["Mary", "John", "Tom", "Anna"]
  slot place in ["store", "garden", "school"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 6
}
"""
YEARS = """\
prompts {
  template "The war lasted from the year 17{yy:02 as YY} to the year 17"
  slot yy in 20..80
  corrupt YY -> "01"
  count = 6
}
"""
# The logits of a pair [vocab], its probabilities, and the number of a text in the vocabulary.
ByHand = Callable[[Tensor, Tensor, Callable[[str], int], dict[str, str]], Tensor]


def ioi(row: Tensor, p: Tensor, token: Callable[[str], int], pair: dict[str, str]) -> Tensor:
    others = [row[token(f" {pair['S']}")], row[token(" Anna")]]
    return row[token(f" {pair['IO']}")] - 0.5 * torch.stack(others).mean()


def odds(row: Tensor, p: Tensor, token: Callable[[str], int], pair: dict[str, str]) -> Tensor:
    return p[token(f" {pair['IO']}")] / p[token(f" {pair['S']}")]


def place(row: Tensor, p: Tensor, token: Callable[[str], int], pair: dict[str, str]) -> Tensor:
    best = max(row[token(f" {pair['IO']}")], row[token(f" {pair['S']}")])
    return (row > best).sum() - torch.log(p[token(" the")])


def years(row: Tensor, p: Tensor, token: Callable[[str], int], pair: dict[str, str]) -> Tensor:
    mass = torch.stack([p[token(f"{year:02}")] for year in range(100)])
    split = int(pair["yy"]) + 1
    return mass[split:].sum() - mass[:split].sum()


@cache
def model() -> torch.nn.Module:
    folder = EMBEDDED["tiny"].folder
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()


@cache
def vocabulary() -> dict[str, int]:
    tokenizer = load_tokenizer(EMBEDDED["tiny"].folder)
    return {tokenizer.decode_token(i): i for i in reversed(range(tokenizer.vocab_size))}


def run(folder: Path, prompts: str, metric: str, *, method: str = "ap") -> Result:
    spec = folder / "spec.atp"
    spec.write_text(
        f'atp 1\nmodel "tiny" {{ dtype = float64 }}\n{prompts}metric {metric}\n'
        f"nodes {{ mlp at last }}\nmethod {method}\n"
    )
    return atpdsl.run(spec, out=folder / "out", overwrite=True)


def names_of(prompt: str) -> dict[str, str]:
    """The words of a clean prompt, by where they stand in the templates."""
    words = prompt.replace(".", "").replace(",", "").split()
    if words[0] == "The":
        return {"yy": words[6][2:]}
    first = 1 if words[0] == "When" else 0
    return {"IO": words[first], "S": words[first + 2]}


@pytest.mark.parametrize(
    ("prompts", "metric", "by_hand"),
    [
        (IOI, 'logit(" {IO}") - 0.5 * logit([" {S}", " Anna"])', ioi),
        (IOI, "prob(right) / prob(wrong)", odds),
        (IOI, 'rank([" {IO}", " {S}"]) + loss(" the")', place),
        (YEARS, "prob(two_digits(yy + 1 .. 99)) - prob(two_digits(0 .. yy))", years),
    ],
    ids=["logits", "odds", "rank", "years"],
)
def test_the_metric_of_each_prompt_is_that_of_its_plain_logits(
    tmp_path, prompts, metric, by_hand: ByHand
):
    result = run(tmp_path, prompts, metric)
    token = vocabulary().__getitem__

    with in_float64(model()) as plain, torch.no_grad():
        for pair in result.record.pairs:
            names = names_of(pair.clean.text)
            for side in (pair.clean, pair.corrupted):
                row = plain(torch.tensor([side.ids])).logits[0, -1]
                expected = by_hand(row, torch.softmax(row, -1), token, names)
                assert side.metric == pytest.approx(float(expected), rel=1e-5, abs=1e-6)


def test_normalized_numbers_of_a_run_are_the_plain_ones_divided_by_the_gap(tmp_path):
    metric = 'logit(" {IO}") - logit(" {S}")'
    plain = run(tmp_path, IOI, metric, method="atp\nmethod ap\nverify { top = 2; random = 2 }")
    share = run(
        tmp_path,
        IOI,
        f"{metric} {{ normalize = on }}",
        method="atp\nmethod ap\nverify { top = 2; random = 2 }",
    )
    gap = plain.record.metric.gap

    assert gap is not None
    assert abs(gap) > 0.1
    for name in ("estimate", "signed", "effect", "effect_abs", "score"):
        one = np.array(share.table[name].to_pylist(), dtype=float)
        other = np.array(plain.table[name].to_pylist(), dtype=float)
        divisor = gap if name in ("signed", "effect") else abs(gap)
        np.testing.assert_allclose(one, other / divisor, rtol=1e-12)
    assert share.table["rank"].equals(plain.table["rank"])


def test_patching_everything_that_is_read_has_a_normalized_effect_of_one(tmp_path):
    """At the last position of the last layer stands all that the logits are made of."""
    for direction, whole in (("noising", -1.0), ("denoising", 1.0)):
        for metric in ("logit_diff", "-logit_diff", "loss(right)"):
            spec = tmp_path / "spec.atp"
            spec.write_text(
                f'atp 1\nmodel "tiny"\n{IOI}metric {metric} {{ normalize = on }}\n'
                f"nodes {{ resid.post[L3] at last }}\nmethod ap {{ direction = {direction} }}\n"
            )
            result = atpdsl.run(spec, out=tmp_path / "out", overwrite=True)

            (effect,) = result.table["effect"].to_pylist()
            assert effect == pytest.approx(whole, abs=1e-4)
