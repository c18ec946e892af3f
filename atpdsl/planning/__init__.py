"""The plan: a graph of operations on a hooked model, as frozen values; torch-free."""
