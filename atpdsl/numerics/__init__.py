"""Statistics of node scores, in numpy alone: no model, no plan, no spec."""
