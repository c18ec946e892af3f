"""The words that begin statements; a test keeps them equal to the grammar's."""

STATEMENTS: tuple[str, ...] = (
    "atp",
    "include",
    "let",
    "param",
    "sweep",
    "model",
    "prompts",
    "metric",
    "nodes",
    "edges",
    "method",
    "verify",
    "diagnose",
    "circuit",
    "expect",
    "export",
    "run",
)
BODY_STATEMENTS: tuple[str, ...] = (
    "pair",
    "template",
    "slot",
    "corrupt",
    "answer",
    "pos",
    "let",
)
