"""Value types and protocols that every other room shares: frozen, typed, without I/O, usable on any thread."""
