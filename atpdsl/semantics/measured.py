"""Which effects a spec measures, and so what can be known of its estimates."""

from __future__ import annotations

from dataclasses import dataclass, field

from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import MethodCall, VerifyCall

# The diagnostics of gradients.
NEED_GRADIENT = ("cancellation", "saturation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The methods of a spec, what is verified, and what is diagnosed.

    Attributes:
        estimates: the names of methods that estimate.
        gradients: the names of methods that take gradients.
        complete: False where some method, or what is verified, could not be read.
        diagnosed: False where what is diagnosed could not be read.
    """

    calls: tuple[MethodCall, ...]
    estimates: frozenset[str]
    gradients: frozenset[str] = frozenset()
    verify: VerifyCall | None
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    complete: bool
    diagnosed: bool = True

    @property
    def labels(self) -> tuple[str, ...]:
        """The methods' names in the results."""
        return tuple(call.label for call in self.calls)

    def call(self, label: str) -> MethodCall | None:
        """The method called `label`, None if there is none."""
        return next((call for call in self.calls if call.label == label), None)

    def is_exact(self, call: MethodCall) -> bool:
        """Whether a method measures."""
        return call.method not in self.estimates

    def is_exhausted(self, call: MethodCall) -> bool:
        """Whether an exact method measures every node that `call` estimates."""
        return any(
            self.is_exact(other) and other.direction is call.direction for other in self.calls
        )

    def is_verified(self, call: MethodCall) -> bool:
        """Whether `verify` measures some nodes of a method."""
        return self.verify is not None and call.label in self.verify.methods

    def has_effects(self, call: MethodCall) -> bool:
        """Whether some effects beside a method's own numbers are measured, or they are."""
        return self.is_exhausted(call) or self.is_verified(call)

    @property
    def compared(self) -> tuple[MethodCall, ...]:
        """The estimates that are compared with measured effects."""
        return tuple(
            call for call in self.calls if not self.is_exact(call) and self.has_effects(call)
        )

    @property
    def bounded(self) -> tuple[MethodCall, ...]:
        """The estimates whose unmeasured nodes subset sampling is about."""
        return tuple(
            call
            for call in self.calls
            if not self.is_exact(call)
            and not self.is_exhausted(call)
            and (self.verify is None or self.is_verified(call))
        )

    def is_left_out(self, call: MethodCall) -> bool:
        """Whether `verify` names other methods only, and nothing else measures all nodes."""
        return not (self.verify is None or self.has_effects(call) or self.is_exact(call))

    def has_part(self, part: str) -> bool:
        """Whether `diagnose` has a part."""
        return getattr(self.diagnosis, part, None) is not None

    def can_flag(self, call: MethodCall, part: str) -> bool:
        """Whether a diagnostic may warn of nodes of a method."""
        return part not in NEED_GRADIENT or call.method in self.gradients

    @property
    def draws(self) -> bool:
        """Whether `verify` draws nodes at random."""
        verify = self.verify
        return verify is not None and bool(verify.random or verify.random_share)

    def sees_only_its_top(self, call: MethodCall, top: int) -> bool:
        """Whether no node outside an estimate's own `top` is measured for sure."""
        verify = self.verify
        if verify is None or self.draws or self.is_exhausted(call) or verify.top_share:
            return False
        others = any(
            other is not call and other.direction is call.direction and self.is_verified(other)
            for other in self.calls
        )
        return not others and verify.top <= top
