"""Latents: coding order, context models, hyper synthesis, secondary transforms, gain units."""
