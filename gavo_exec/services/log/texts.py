"""Texts on one line, in bounds, with nothing in them that a terminal or a log would obey."""

LINE_LIMIT = 2000
PART_LIMIT = 500


def one_line(text: str, limit: int = PART_LIMIT) -> str:
    """At most ``limit`` characters of a text on one line, with nothing in it that a terminal or a log would obey."""
    if len(text) > limit:
        text = f"{text[: limit - 1]}…"
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char.isspace() else char.encode("unicode_escape").decode()
        for char in text
    )
