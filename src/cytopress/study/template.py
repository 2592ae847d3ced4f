"""Template of a study file for ``study init``: every key with a line of explanation."""

from __future__ import annotations

TEMPLATE = """\
# A study: what compression does to images and to the analysis that follows.
# Run it:   cytopress study run study.toml --out results
# Run the same command again after an interruption or a change: only what is missing is done.

name = "my-study"
title = "What compression does to our images"
# Part of a result's identity: the camera's noise is drawn by it.
seed = 0

# Pixel metrics, all that this machine can compute unless given:
# metrics = ["rmse", "psnr", "ssim", "pearson", "max_error", "bias"]

# Models that cytopress trained can be judged over several training seeds, and trained on what
# codecs give back: "matched" (the codec they are tested on), "cross" (another one), "mixed" (all of
# them and the originals). What is missing is trained, which takes time and the extra learn:
# seeds = [1, 2, 3]
# regimes = ["raw", "matched", "cross", "mixed"]
# Codec settings of this file to train on; all lossy ones unless given:
# trained_on = ["jpegls:max_error=4"]
# How often the camera's own noise is drawn again, to say what a loss is worth; 0 for never:
# noise_draws = 10

# Edge in pixels of the pictures kept for the report, and whether to time each codec at the end:
# preview_size = 192
# speed = true

[[datasets]]
# A known dataset (see `cytopress datasets`) ...
name = "scratch-assay"
# ... or your own folder with dataset.toml and pairs.csv, relative to this file:
# folder = "my-images"
# What predicts from the images (see `cytopress tasks`), if anything:
# tasks = ["labelfree/scratch-assay"]
# Which image of a field is compressed, "input" or "target":
# channel = "input"
# Which part of the dataset, which fields, and at most how many of each group:
# split = "test"
# fields = ["field-1", "field-2"]
limit = 2
# Fields whose pictures the report shows; one of each group unless given:
# previews = ["field-1"]

# A codec (see `cytopress codecs`) without a target is lossless.
[[codecs]]
spec = "jpegls"

# With a list, each value is tried on each field. Targets, one a codec entry:
#   ratio      raw bytes over coded bytes, at least
#   psnr       dB over the dataset's data range, at least
#   sigma      root-mean-square error in units of the camera's noise, at most
#   max_error  counts, at most
# or the codec's own quality parameter. Ranges and noise are taken from the training groups.
[[codecs]]
spec = "jpegls"
max_error = [1, 4, 16]
"""


def template() -> str:
    """Return a commented study file to start from."""
    return TEMPLATE
