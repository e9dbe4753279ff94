# The maximum number of changes in one review.
package main

import rego.v1

most := 5

changing contains change.address if {
	some change in input.resource_changes
	change.change.actions != ["no-op"]
}

deny contains message if {
	count(changing) > most
	message := sprintf("%d endpoints would change, more than %d", [count(changing), most])
}
