"""Integer kernels of learned codecs: native code, and numpy with exactly the same results."""
