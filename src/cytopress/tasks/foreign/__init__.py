"""Foreign tasks: ONNX models, BioImage Model Zoo models and programs of other people."""
