"""Tasks of other people: ONNX and BioImage Model Zoo models, programs."""
