"""The configuration: files and environment are read into desired endpoints, settings and problems."""
