"""Compiles RASP programs into small transformers whose circuits are known."""
