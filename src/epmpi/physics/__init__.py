"""The scalar physics: lattice, random draws, rule of a site, move of a tracer, elastic response."""
