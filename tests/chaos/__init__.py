"""Seeded chaos over a socket: kills, faults and concurrent runs, until two undisturbed runs converge."""
