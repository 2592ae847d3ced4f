"""Files and datasets to Images and back."""
