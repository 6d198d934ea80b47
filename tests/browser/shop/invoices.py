"""send_invoice: dates, money, lists of objects."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from worker import Context, Requirements, feature


class Line(BaseModel):
    """One line of an invoice."""

    sku: str
    quantity: int = Field(gt=0)


class SendInvoice(Requirements):
    """What is charged, and to whom."""

    customer: str = Field(pattern=r"^C-\d{5}$", examples=["C-20417"], description="Their number.")
    due: date = Field(description="The last day to pay.")
    currency: Literal["EUR", "USD", "GBP", "CHF", "SEK"] = "EUR"
    discount: Decimal | None = Field(None, description="Taken off the total.")
    lines: list[Line] = Field(min_length=1, description="What was bought.")


@feature("send_invoice")
def send_invoice(want: SendInvoice, context: Context) -> None:
    """Write an invoice and mail it to the customer."""
