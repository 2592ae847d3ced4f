"""Quality targets: what was asked, turned into a setting of a codec by search on real encodes."""
