"""<img src=x onerror=alert(1)>: what its author writes is shown, and nothing else."""

from pydantic import Field

from worker import Context, Requirements, feature

BAD = "<script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp.exe \"'`</textarea>"


class Hostile(Requirements):
    """Names, texts and defaults that want to be obeyed."""

    it: str = Field(BAD, alias="\"><script>alert(1)</script> '", description=BAD, examples=[BAD])


@feature("hostile")
def hostile(want: Hostile, context: Context) -> None:
    """<script>alert(1)</script><img src=x onerror=alert(1)>"""
