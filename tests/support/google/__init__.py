"""A fake of Google Cloud's APIs on loopback: real gcloud and our own commands work against it.

It keeps resources, policies and operations as the APIs document them, and refuses with their
errors. It is no cloud: nobody's leave is checked, nothing runs, no message moves (unless Pub/Sub
and Logging are forwarded to ones that work), and what it was not taught it refuses.
"""

from tests.support.google.fake import FakeGoogle
from tests.support.google.request import Call
from tests.support.google.service import PlantedService

__all__ = ["Call", "FakeGoogle", "PlantedService"]
