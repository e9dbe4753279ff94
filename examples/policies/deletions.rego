# A delete needs a person. A replacement deletes too: its actions are ["delete", "create"].
package main

import rego.v1

deny contains message if {
	some change in input.resource_changes
	"delete" in change.change.actions
	message := sprintf("%s would be deleted", [change.address])
}
