# Every image is pinned: by a tag other than latest, or by a digest.
package main

import rego.v1

deny contains message if {
	some change in input.resource_changes
	change.type == "novita_endpoint"
	image := change.change.after.image.image
	not pinned(image)
	message := sprintf("%s: the image %s is not pinned", [change.address, image])
}

pinned(image) if regex.match(`@sha256:[0-9a-f]{64}$`, image)

pinned(image) if {
	regex.match(`:[^/:@]+$`, image)
	not endswith(image, ":latest")
}
