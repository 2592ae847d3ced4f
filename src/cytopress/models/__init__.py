"""Model packages: the file, the search for it, the onnxruntime session."""
