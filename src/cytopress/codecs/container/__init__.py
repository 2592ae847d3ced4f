"""The .cyto container format: image description, codec recipe, notes, stream, checksum."""
