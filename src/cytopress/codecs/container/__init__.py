"""The .cyto container: header, recipe of the codec, stream, checksum."""
