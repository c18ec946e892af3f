"""Prompt pairs as tokens: ids, answers, named positions, partners."""
