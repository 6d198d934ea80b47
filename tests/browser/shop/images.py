"""resize_image: numbers, choices, lists, groups."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from worker import Context, Requirements, feature


class Format(StrEnum):
    """What can be made."""

    WEBP = "webp"
    AVIF = "avif"
    JPEG = "jpeg"


class Crop(BaseModel):
    """The part of the picture that is kept."""

    left: int = Field(0, ge=0, description="pixels from the left")
    top: int = Field(0, ge=0, description="pixels from the top")
    square: bool = False


class ResizeImage(Requirements):
    """What is to be made of a picture."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"source": "gs://uploads/harbour.jpg", "width": 1280, "format": "webp"},
                {"source": "gs://uploads/lake.png", "width": 640, "tags": ["lake", "winter"]},
            ]
        }
    )

    source: str = Field(
        max_length=200, pattern=r"^gs://[a-z0-9._-]+/.+",
        description="Where the picture is, as a Cloud Storage address.",
        examples=["gs://uploads/harbour.jpg"],
    )  # fmt: skip
    width: int = Field(ge=1, le=8192, description="Pixels. The height follows.")
    format: Format = Field(Format.WEBP, description="The format of the result.")
    quality: float = Field(0.8, gt=0, le=1, multiple_of=0.05)
    sharpen: bool = Field(default=False, description="For pictures that were made much smaller.")
    tags: list[str] = Field([], max_length=8, description="For the search.")
    crop: Crop | None = Field(None, description="Cut a part out first.")


@feature("resize_image")
def resize_image(want: ResizeImage, context: Context) -> None:
    """Make a smaller copy of a picture, in another format if you like."""
