"""The nouns: pure, frozen values that every other package speaks in."""
