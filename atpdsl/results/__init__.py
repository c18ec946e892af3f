"""Results: tables, verification, provenance, the circuit graph."""
