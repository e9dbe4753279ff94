"""The comparison of endpoints, for planning until it goes through the registry."""

from reconciler.kinds.endpoint.fields import COMPARISON

sides = COMPARISON.sides
owned = COMPARISON.owned
reported = COMPARISON.reported
is_to_the_letter = COMPARISON.is_to_the_letter
replacement = COMPARISON.replacement
emitted = COMPARISON.emitted
laid_over = COMPARISON.laid_over
