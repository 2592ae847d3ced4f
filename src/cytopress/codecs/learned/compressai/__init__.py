"""CompressAI's models as codecs, with its pretrained weights or ones trained here; needs torch."""

from cytopress.codecs.learned.compressai.codec import NUMBER, CompressAI
from cytopress.codecs.learned.compressai.family import CompressAIFamily, family, names, restored

__all__ = ["NUMBER", "CompressAI", "CompressAIFamily", "family", "names", "restored"]
