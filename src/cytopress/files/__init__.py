"""Whole files and folders: every image of a file coded, with its metadata, and back."""

from cytopress.files.channel_codecs import ChannelCodecs, channel_codecs
from cytopress.files.cyto_file import CytoFile, is_cyto, open_cyto
from cytopress.files.decode_file import DecodedFile, decode_file
from cytopress.files.encode_file import EncodedFile, EncodedImage, encode_file
from cytopress.files.read import read

__all__ = [
    "ChannelCodecs",
    "CytoFile",
    "DecodedFile",
    "EncodedFile",
    "EncodedImage",
    "channel_codecs",
    "decode_file",
    "encode_file",
    "is_cyto",
    "open_cyto",
    "read",
]
