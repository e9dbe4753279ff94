"""Seeded chaos over a real socket: kills, faults and second runs; afterwards two runs must set all right."""
