# Nothing is deleted without a person. A replacement deletes as well: its actions are ["delete", "create"].
package main

import rego.v1

deny contains message if {
	some change in input.resource_changes
	"delete" in change.change.actions
	message := sprintf("%s would be deleted", [change.address])
}
