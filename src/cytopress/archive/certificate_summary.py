"""Summary of a certificate in lines for the command line."""

from __future__ import annotations

from typing import Any

from cytopress.figures import count_text, figure, ratio_text


def summary(certificate: dict[str, Any]) -> list[str]:
    """Return lines that say what coding changed, over all images."""
    raw, coded = certificate["raw_bytes"], certificate["coded_bytes"]
    loss = "with loss" if certificate["lossy"] else "without loss"
    count = count_text(len(certificate["images"]), "image")
    lines = [f"{count}, {ratio_text(raw / coded)} smaller, {loss}, {certificate['software']}"]
    lines += [_channel(one) for one in certificate["channels"]]
    if certificate["left_out"]:
        missing = count_text(len(certificate["left_out"]), "source")
        lines.append(f"left out: {missing} that could not be read")
    for past in certificate["history"]:
        may = {True: "was coded", None: "may have been coded", False: "was coded"}[past["lossy"]]
        how = "without loss" if past["lossy"] is False else "with loss"
        line = f"before: {past['method']} ({count_text(past['images'], 'image')}): {may} {how}"
        if "error" in past:
            error = past["error"]
            line += (
                f", errors at most {figure(error['max'])} counts, RMSE {figure(error['rmse'], 3)}"
            )
        lines.append(line)
    if certificate["second_generation"]:
        lines.append(
            f"second generation: {count_text(certificate['second_generation'], 'image')} with an"
            " earlier loss below this one"
        )
    return [*lines, _verified(certificate)]


def _channel(one: dict[str, Any]) -> str:
    line = f"{one['label'] or 'all channels'}: {one['codec']}, {ratio_text(one['ratio'])} smaller"
    error = one["error"]
    if error["max"]:
        line += _errors(error)
    if "noise_sigma" in error:
        line += f" ({figure(error['noise_sigma'], 2)} of the noise)"
    if error["max"]:
        line += f", in the worst chunk {figure(one['worst_chunk']['rmse'], 3)}"
    if one["finer_chunks"]:
        line += f", {one['finer_chunks']} of {count_text(one['chunks'], 'chunk')} coded finer"
    return line


def _errors(error: dict[str, Any]) -> str:
    return f", errors at most {figure(error['max'])} counts, RMSE {figure(error['rmse'], 3)}"


def _verified(certificate: dict[str, Any]) -> str:
    found = certificate.get("verified")
    if found is None:
        return "not verified against the sources yet: archive verify OUT --full --against SRC"
    if not found["passed"]:
        return f"verified against the sources on {found['when']}: FAIL"
    if found["fit_to_delete_sources"]:
        return f"verified against the sources on {found['when']}: PASS, fit for deleting them"
    return f"verified against the sources on {found['when']}: PASS; not fit for deleting them: " + (
        "; ".join(found["reasons"])
    )
