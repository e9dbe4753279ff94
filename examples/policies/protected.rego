# These endpoints are only changed by hand.
package main

import rego.v1

protected := {"billing", "chat"}

deny contains message if {
	some change in input.resource_changes
	change.name in protected
	change.change.actions != ["no-op"]
	message := sprintf("%s is protected and would change", [change.address])
}
