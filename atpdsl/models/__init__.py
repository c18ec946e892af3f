"""Models: their names, files, shapes and tokenizers; torch-free."""
