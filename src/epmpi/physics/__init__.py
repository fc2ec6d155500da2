"""The scalar physics: the lattice, random draws, the rule of a site, the elastic response."""
