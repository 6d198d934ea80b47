"""The icons: paths in a square of 24, drawn with the colour of the text around them."""

from collections.abc import Mapping

from markupsafe import Markup

_PATHS: Mapping[str, str] = {
    "box": "M21 8l-9-5-9 5v8l9 5 9-5zM3 8l9 5 9-5M12 13v8",
    "check": "M4 12.5l5 5 11-11",
    "chevron": "M9 5l7 7-7 7",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
    "cloud": "M7 19h10a5 5 0 0 0 .9-9.9A6.6 6.6 0 0 0 5.300 9.200 5 5 0 0 0 7 19z",
    "contrast": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h7.500M12 12h9M12 16h7.500",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "cross": "M5 5l14 14M19 5L5 19",
    "external": "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    "filter": "M4 5h16M7 12h10M10 19h4",
    "inbox": "M3 13l3.500-8h11L21 13v6H3zM3 13h5l1.500 3h5L16 13h5",
    "list": "M4 6h16M4 12h16M4 18h10",
    "play": "M7 5l12 7-12 7z",
    "plus": "M12 5v14M5 12h14",
    "repeat": "M4 12a8 8 0 0 1 14-5.300L20 9M20 4v5h-5M20 12a8 8 0 0 1-14 5.300L4 15M4 20v-5h5",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
    "send": "M21 3L10 14M21 3l-7 18-4-7-7-4z",
    "shield": "M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM12 8v5M12 16v.1",
    "trash": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
    "warning": "M12 4l9.500 16h-19zM12 10v5M12 17.500v.1",
}

ICONS: Mapping[str, Markup] = {
    name: Markup('<path d="{}"/>').format(path) for name, path in _PATHS.items()
}
