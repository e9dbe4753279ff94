"""References in YAML values: `${env:NAME}`, `${file:PATH}`, `${exec:NAME:ARGUMENT}`."""
