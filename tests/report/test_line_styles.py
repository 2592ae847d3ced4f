import re

from cytopress.report.line_styles import COLORS, line_style


def brightness(color):
    red, green, blue = (int(part, 16) / 255 for part in re.findall(r"[0-9a-f]{2}", color))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2


def test_eighty_curves_differ_without_color():
    styles = [line_style(index) for index in range(80)]
    assert len({(each.dash, each.marker) for each in styles}) == 80


def test_every_color_stands_out_from_white():
    # WCAG 2 asks graphics for a contrast of 3:1; the palest ones here also bear dash and marker.
    contrast = {color: 1.05 / (brightness(color) + 0.05) for color in COLORS}
    assert min(contrast.values()) > 2.2
    assert sum(value > 3 for value in contrast.values()) >= 5
