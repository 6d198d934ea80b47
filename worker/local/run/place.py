"""Which service: its names in the API."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The one service of the laptop cloud."""

    project: str
    location: str = "europe-west1"
    service: str = "feature-worker"

    @property
    def parent(self) -> str:
        """`projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def name(self) -> str:
        """`projects/P/locations/L/services/S`."""
        return f"{self.parent}/services/{self.service}"

    def revision(self, short: str) -> str:
        """The full name of a revision; "" for none."""
        return f"{self.name}/revisions/{short}" if short else ""
