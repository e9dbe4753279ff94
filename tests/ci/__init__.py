"""The recipes for pipelines, executed as far as a machine without those pipelines can."""
