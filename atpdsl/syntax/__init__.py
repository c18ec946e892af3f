"""From text to tree: the grammar, the parser and its messages."""
