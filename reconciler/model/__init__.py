"""Pure, frozen values that every other package uses."""
