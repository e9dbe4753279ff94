"""Values -> what people and programs read. Everything here is written from values, never from text."""
