"""Reference and test to a number: how far apart two images are, and how noisy one is."""
