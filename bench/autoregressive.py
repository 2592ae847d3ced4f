"""Time of CompressAI's autoregressive models, which decode one position after the other."""

from __future__ import annotations

import time
from pathlib import Path

from cytopress.codecs.registry import decode_by
from cytopress.errors import NotAvailableError
from cytopress.image import Image

# Channels as in the comparison of architectures; what they hold does not change the time by much.
MODELS = {"mbt2018": {"N": 48, "M": 96}, "cheng2020-anchor": {"N": 48}}
EXTRA = ("torch", "compressai")


def report(field: Image, folder: Path) -> None:
    """Print the time to code and decode a field; ``folder`` is for models made on the fly."""
    try:
        from cytopress.codecs.learned.compressai.architectures import need

        for module in EXTRA:
            need(module)
    except NotAvailableError as error:
        print(f"No autoregressive models: {error}")
        return
    print(f"CompressAI's autoregressive models, untrained, one pass over {field!r}:")
    for name, widths in MODELS.items():
        coder = made(name, widths, folder)
        coder.encode(Image(field.pixels[:64, :64].copy(), bits=field.bits))
        start = time.process_time()
        data = coder.encode(field)
        between = time.process_time()
        decode_by(coder, data)
        end = time.process_time()
        options = ", ".join(f"{key} = {value}" for key, value in widths.items())
        print(
            f"  compressai/{name} ({options}): encode {between - start:.2f} s, decode"
            f" {end - between:.2f} s, {len(data)} bytes",
            flush=True,
        )


def made(name: str, widths: dict[str, int], folder: Path):
    """Return the codec of an untrained model."""
    import torch

    from cytopress.codecs.learned.compressai.codec import CompressAI
    from cytopress.codecs.learned.compressai.weights import of_package
    from cytopress.training.codec.compressai_network import (
        CompressAINetwork,
        write_compressai_package,
    )

    torch.set_num_threads(1)
    torch.manual_seed(1)
    path = folder / f"{name}.cytomodel"
    network = CompressAINetwork(name, **widths)
    return CompressAI(of_package(write_compressai_package(path, [network], {"name": f"x/{name}"})))
