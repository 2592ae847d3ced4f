"""Template of a study file for ``study init``: every key with a line of explanation."""

from __future__ import annotations

TEMPLATE = """\
# A study: what compression does to images and to the analysis that follows.
# Run it:   cytopress study run study.toml --out results
# After an interruption or a change of this file, run the same command again: only missing results
# are computed.

name = "my-study"
title = "What compression does to our images"
# Seed of the random numbers of simulated camera noise; with another one every trial is run again:
seed = 0

# Pixel metrics; by default all that this machine can compute:
# metrics = ["rmse", "psnr", "ssim", "pearson", "max_error", "bias"]

# Training seeds of the models that cytopress trained: a score for each shows what training again
# changes. Missing models are trained, which takes time and the extra learn:
# seeds = [1, 2, 3]
# What the models are trained on: originals ("raw"), images decoded from the codec setting that is
# tested ("matched") or from another one ("cross"), or originals and all of these ("mixed"):
# regimes = ["raw", "matched", "cross", "mixed"]
# Codec settings of this file to train on; by default all lossy ones:
# trained_on = ["jpegls:max_error=4"]
# How often camera noise is added to each original, to see how much the scores change by noise alone
# (`recommend --margin noise`); 0 for never:
# noise_draws = 10

# The largest allowed loss of each analysis: a number in its score's unit, percent of what the
# originals give, or "noise", as much as camera noise alone changes (which it is unless given):
# margin = "2%"

# Edge in pixels of the report's pictures, and whether to measure each codec's speed at the end:
# preview_size = 192
# speed = true

# A publication whose claims the report goes through one by one:
# claims = "zhou2024"

[[datasets]]
# A known dataset (see `cytopress datasets`) ...
name = "scratch-assay"
# ... or your own folder with dataset.toml and pairs.csv, relative to this file:
# folder = "my-images"
# ... or any folder of images, each channel of which becomes a dataset:
# images = "plate-1"
# For images alone; guessed, or read from the files, unless given: the parts of the names that are
# the channel and the group, the channels to use, axes, significant bits and pixel size. Files that
# cannot be read are an error:
# channels = "*_{channel}"
# groups = "{group}_*"
# only = ["DNA", "ER"]
# axes = "ZYX"
# bits = 12
# pixel_size_um = 0.65
# skip_unreadable = true
# The analyses to run on the images (see `cytopress tasks`), if any:
# tasks = ["labelfree/scratch-assay"]
# Which image of a field is compressed, "input" or "target":
# channel = "input"
# Which part of the dataset ("test", "validation" or "train"), which of its fields (fields of view),
# and at most how many of each group:
# split = "test"
# fields = ["field-1", "field-2"]
limit = 2
# Fields whose pictures the report shows; by default the first of each group:
# previews = ["field-1"]
# Whether a folder that is not there is left out, not an error:
# optional = true

# A codec (see `cytopress codecs`) without a target is lossless.
[[codecs]]
spec = "jpegls"

# Every value of the list is tried on every field. Each [[codecs]] table has one target, of which
# `cytopress try` says which fits your images:
#   sigma      root-mean-square error in units of the camera's noise, at most
#   max_error  counts, at most
#   psnr       dB over the dataset's data range, at least
#   ratio      raw bytes over coded bytes, at least
# or the codec's own quality parameter (see `cytopress codecs`). The data range and the noise are
# measured on the dataset's training groups.
[[codecs]]
spec = "jpegls"
max_error = [1, 4, 16]

# A learned codec of your own is trained first where its package is missing, into the folder of the
# results, which takes hours and the extra learn; an interrupted training goes on. Its table gives
# the training file: spec="learned/mine", training="mine.toml", ratio=[20, 40]
# A codec may be for some datasets only: datasets=["scratch-assay"]; and one with pretrained weights
# of others is left out where they are not on this machine with optional=true
"""


def template() -> str:
    """Return a commented study file to start from."""
    return TEMPLATE
