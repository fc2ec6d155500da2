"""The scalar physics: the lattice, its draws, the rule of a site, the elastic response."""
