"""Image files to Image and back."""
