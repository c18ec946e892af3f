"""LayerNorm and RMS norm, and their gradients for many cotangents at once."""

from __future__ import annotations

import torch
from torch import Tensor

from atpdsl.runtime.native.weights import Norm
from atpdsl.runtime.sites import at_least_float32


def normed(norm: Norm, x: Tensor) -> Tensor:
    """[..., d] -> [..., d], computed in at least float32."""
    if norm.centred:
        return torch.nn.functional.layer_norm(x, x.shape[-1:], norm.gain, norm.bias, norm.eps)
    wide = at_least_float32(x)
    unit = wide * _inverse(wide, norm.eps)
    if norm.gain.dtype != x.dtype:
        return (unit * norm.gain).to(x.dtype)
    return unit.to(x.dtype) * norm.gain


def pull_norm(norm: Norm, x: Tensor, gradient: Tensor) -> Tensor:
    """Gradient at the input.

    With s = 1 / sigma, y = (x - mean) s the normalised input and h = gain * gradient, it is
    s (h - mean(h) - y mean(h y)); an RMS norm has no mean(h).

    Args:
        x: the input, [..., d].
        gradient: at the output, [..., d] or, for several, [stream, ..., d].
    """
    if gradient.ndim == x.ndim and norm.centred:
        return _pull_layer_norm(norm, x, gradient)
    wide, gain = at_least_float32(x), at_least_float32(norm.gain)
    if norm.centred:
        wide = wide - wide.mean(-1, keepdim=True)
    inverse = _inverse(wide, norm.eps)
    size = x.shape[-1]
    pulled = gradient * (gain * inverse)
    along = (gradient * (gain * wide * inverse)).sum(-1, keepdim=True) / size
    pulled.addcmul_(wide * inverse.square(), along, value=-1)
    if norm.centred:
        pulled -= (at_least_float32(gradient) @ (gain / size))[..., None] * inverse
    return pulled.to(gradient.dtype)


def _pull_layer_norm(norm: Norm, x: Tensor, gradient: Tensor) -> Tensor:
    """One cotangent, in torch's own fused form."""
    shape = x.shape[-1:]
    _, mean, inverse = torch.native_layer_norm(x, shape, norm.gain, norm.bias, norm.eps)
    pulled: Tensor = torch.ops.aten.native_layer_norm_backward(
        gradient, x, shape, mean, inverse, norm.gain, norm.bias, [True, False, False]
    )[0]
    return pulled


def _inverse(x: Tensor, eps: float) -> Tensor:
    return torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
