"""Names of the small models' families; torch-free, so that `conftest.py` stays so."""

FAMILIES = ("gpt2", "neox", "neox-sequential", "llama", "qwen2", "qwen3", "gemma3")
GROUPED = ("llama", "qwen2", "qwen3", "gemma3")
"""Families whose key and value heads are fewer than their query heads."""
PARALLEL = ("neox",)
"""Families whose attention and MLP read the same residual (no `resid.mid`)."""
