"""Other formats to items of the YAML: what each field becomes, and why a field is left out. Pure."""
