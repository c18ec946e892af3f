"""Verification in operations: exact effects of chosen nodes, bounds on those of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from atpdsl.binding.bind import Bound
from atpdsl.methods.method import Request
from atpdsl.planning.ops import (
    Forward,
    Measure,
    PatchChosen,
    PatchOn,
    PatchSets,
    Place,
    Ranking,
    Reduce,
    Select,
    Take,
    places_of,
)
from atpdsl.planning.plan import MethodOutput, VerifyOutput
from atpdsl.planning.schemes import Inclusions, Partitions, Scheme
from atpdsl.semantics.diagnosis import Partition, SubsetSampling
from atpdsl.semantics.experiment import Direction, VerifyCall


def verifications(
    bound: Bound, requests: Sequence[Request], methods: Sequence[MethodOutput]
) -> tuple[VerifyOutput, ...]:
    """One choice of nodes per direction, so that no node is patched twice."""
    verify = _asked(bound)
    if verify is None:
        return ()
    outputs = []
    for direction in Direction:
        mine = [
            (r, m)
            for r, m in zip(requests, methods, strict=True)
            if m.call.label in verify.methods and m.call.direction is direction and not m.exact
        ]
        if not mine:
            continue
        exact = next((m for m in methods if m.exact and m.call.direction is direction), None)
        chosen = _select(bound, [m for _, m in mine], verify)
        outputs.append(_Verification(bound, mine[0][0], chosen, verify).output(exact))
    return tuple(outputs)


def _asked(bound: Bound) -> VerifyCall | None:
    """What the spec verifies; nothing but bounds where it only asks for them."""
    experiment = bound.experiment
    sampling = experiment.diagnosis.subset_sampling
    if experiment.verify is not None or sampling is None:
        return experiment.verify
    labels = tuple(call.label for call in experiment.methods)
    return VerifyCall(top=0, random=0, methods=labels, span=sampling.span)


def _select(bound: Bound, methods: Sequence[MethodOutput], verify: VerifyCall) -> Select:
    return Select(
        rankings=tuple(Ranking(label=m.call.label, estimates=m.reductions) for m in methods),
        sets=bound.nodes,
        top=verify.top,
        random=verify.random,
        seed=bound.experiment.run.seed,
    )


class _Verification:
    """The verification of the estimates of one direction."""

    def __init__(
        self,
        bound: Bound,
        request: Request,
        chosen: Select,
        verify: VerifyCall,
    ) -> None:
        self.bound, self.chosen, self.verify = bound, chosen, verify
        self.request = request
        self.places = tuple(sorted({p for nodes in chosen.sets for p in places_of(nodes)}))

    def output(self, exact: MethodOutput | None) -> VerifyOutput:
        """Everything that is asked for; what `exact` has measured is not measured again."""
        cancellation = self.bound.experiment.diagnosis.cancellation
        direct = cancellation is not None and cancellation.direct_effect
        found = VerifyOutput(
            labels=tuple(ranking.label for ranking in self.chosen.rankings),
            direction=self.request.call.direction,
            chosen=self.chosen,
            effects=self._effects(frozen=False),
            direct=self._effects(frozen=True) if direct else None,
        )
        if exact is not None:
            return replace(found, effects=Take(chosen=self.chosen, source=exact.reductions))
        sets = self._sets()
        return replace(found, bound=sets, more=None if sets is None else self._more(sets))

    def _effects(self, *, frozen: bool) -> Reduce:
        layers = range(self.bound.shape.n_layers) if frozen else ()
        held = tuple(sorted(Place(kind, layer) for kind in ("attn", "mlp") for layer in layers))
        parts = tuple(
            PatchChosen(
                base=self._base(batch.number, held),
                donor=self._donor(batch.number),
                chosen=self.chosen,
                frozen=frozen,
            )
            for batch in self.request.batches
        )
        return Reduce(parts=parts, keep_pairs=self.request.keep_pairs)

    def _base(self, batch: int, captures: tuple[Place, ...] = ()) -> Measure:
        forward = Forward(batch=batch, side=self.request.base, captures=captures)
        return self.request.measure(forward)

    def _donor(self, batch: int) -> Forward:
        return Forward(batch=batch, side=self.request.donor, captures=self.places)

    def _batches(self) -> tuple[tuple[Measure, ...], tuple[Forward, ...]]:
        numbers = [batch.number for batch in self.request.batches]
        return tuple(map(self._base, numbers)), tuple(map(self._donor, numbers))

    def _sets(self) -> PatchSets | None:
        sampling = self.bound.experiment.diagnosis.subset_sampling
        if sampling is None and self.verify.stop is not None:
            sampling = SubsetSampling(span=self.verify.stop.span)
        if sampling is None:
            return None
        bases, donors = self._batches()
        return PatchSets(
            bases=bases,
            donors=donors,
            sets=self.chosen.sets,
            scheme=scheme_of(sampling, self.bound.experiment.run.seed),
            excluded=self.chosen,
            predicted=self._predicted(),
        )

    def _predicted(self) -> tuple[Reduce, ...]:
        """The first ranking that estimates every node in every pair, none if there is none."""
        for ranking in self.chosen.rankings:
            reduced = tuple(r for r in ranking.estimates if isinstance(r, Reduce))
            if len(reduced) == len(ranking.estimates):
                return reduced
        return ()

    def _more(self, sets: PatchSets) -> PatchOn | None:
        stop = self.verify.stop
        if stop is None:
            return None
        return PatchOn(
            bases=sets.bases,
            donors=sets.donors,
            bound=sets,
            chosen=self.chosen,
            effects=self._effects(frozen=False),
            top=stop.top,
            alpha=stop.alpha,
            most=self.verify.most,
        )


def scheme_of(sampling: SubsetSampling, seed: int) -> Scheme:
    """How the sets of a subset sampling are drawn."""
    if sampling.partition is Partition.INDEPENDENT:
        return Inclusions(samples=sampling.samples, probability=sampling.inclusion, seed=seed)
    blocks = max(2, round(1 / sampling.inclusion))
    repetitions = max(2, -(-sampling.samples // blocks))
    return Partitions(repetitions=repetitions, blocks=blocks, seed=seed)
