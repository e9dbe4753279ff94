"""The store of an inventory in files of this machine: the map, and its companion files beside it."""
