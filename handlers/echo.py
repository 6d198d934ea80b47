"""echo: give a text back. What the publisher writes is free, so there is no model of it."""

from pydantic import BaseModel

from worker import Context, feature


class Echo(BaseModel):
    """What was said."""

    text: str


@feature("echo")
def echo(want: str, context: Context) -> Echo:
    """Log the text and return it."""
    context.log.info("echo.heard", want or "nothing was said", text=want)
    return Echo(text=want)
