"""Quick look: one image through five codecs at four sizes, and the target that suits its kind."""
