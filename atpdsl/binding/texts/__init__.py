"""Prompt pairs as text: from templates, from files, as written in the spec."""
