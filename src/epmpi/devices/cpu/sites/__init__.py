"""Sites of a block of rows: draws, the choice of those that may switch, Eqs. (1) and (2)."""
