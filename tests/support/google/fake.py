"""The fake Google: what a test holds in its hands."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Self

from tests.support.google import accounts, logging, projects, series
from tests.support.google.answering import Answering
from tests.support.google.environment import environment
from tests.support.google.faults import Fault
from tests.support.google.knative import Place, apply
from tests.support.google.request import DEFAULT_REGION, Call, Json, Refused
from tests.support.google.server import Server
from tests.support.google.service import PlantedRevision, PlantedService, Settings, knative_of
from tests.support.google.state import NUMBER, PROJECT, Key, State


class FakeGoogle:
    """Google's APIs on loopback while the block runs, with one project in which nothing is.

    `pubsub` and `logging` are HOST:PORT of ones that work: topics, subscriptions, messages and
    entries are theirs then. Resources go by their API and their name without a version, as in
    ("iam", "projects/demo-project/serviceAccounts/a@b").
    """

    project = PROJECT
    number = NUMBER

    def __init__(self, pubsub: str = "", logging: str = "") -> None:
        self._state = State()
        self._answering = Answering(self._state, {"pubsub": pubsub, "logging": logging})
        self._server = Server(self._answering.answer)
        self._config = tempfile.TemporaryDirectory(prefix="gcloud-config-")

    def __enter__(self) -> Self:
        logging.plant_sinks(self._state)
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop()
        self._config.cleanup()

    @property
    def address(self) -> str:
        """HOST:PORT, of the proxy and of Pub/Sub."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What real gcloud and our own commands need to come here, and nowhere else."""
        return environment(self._server.port, self._config.name)

    @property
    def calls(self) -> list[Call]:
        """Every call that was answered, in order."""
        return self._answering.calls

    def mutations(self) -> list[Call]:
        """The calls that ask for a change, refused ones too, in order."""
        return [call for call in self.calls if call.mutates]

    def clear(self) -> None:
        """Forget the calls."""
        self.calls.clear()

    @property
    def resources(self) -> dict[Key, Json]:
        """By API and name, to read and to plant."""
        return self._state.resources

    @property
    def policies(self) -> dict[Key, Json]:
        """IAM policies by API and the resource's name, without etags, to read and to plant."""
        return self._state.policies

    @property
    def run_urls(self) -> dict[str, str]:
        """Where Cloud Run's services ("") and their tags are called."""
        return self._state.run_urls

    @property
    def id_token(self) -> str:
        """What generateIdToken answers."""
        return self._state.id_token

    @id_token.setter
    def id_token(self, token: str) -> None:
        self._state.id_token = token

    @property
    def slow_operations(self) -> bool:
        """Whether operations are done at the second look only, and not at once."""
        return self._state.slow_operations

    @slow_operations.setter
    def slow_operations(self, slow: bool) -> None:
        self._state.slow_operations = slow

    @property
    def apis_must_be_enabled(self) -> bool:
        """Whether APIs that were not enabled refuse, as in a new project."""
        return self._state.apis_must_be_enabled

    @apis_must_be_enabled.setter
    def apis_must_be_enabled(self, must: bool) -> None:
        self._state.apis_must_be_enabled = must

    @property
    def revision_fails(self) -> str:
        """Why the next revision does not become ready; "" once that happened."""
        return self._state.revision_fails

    @revision_fails.setter
    def revision_fails(self, message: str) -> None:
        self._state.revision_fails = message

    def fail(  # noqa: PLR0917 - the order that a call is read in
        self, api: str, method: str, pattern: str, status: int, message: str,
        times: int | None = None,
    ) -> None:  # fmt: skip
        """Refuse calls whose path has the pattern, that often, or until heal().

        "" stands for every API and every method.
        """
        fault = Fault(api, method, re.compile(pattern), Refused(status, message), times)
        self._answering.faults.append(fault)

    def heal(self) -> None:
        """No more refusals."""
        self._answering.faults.clear()

    def account(self, email: str) -> Json:
        """The service account of that address, planted if it is not there."""
        return accounts.plant_account(self._state, email)

    def enable(self, *apis: str) -> None:
        """As if they had been enabled: "run", "pubsub", ..."""
        projects.plant_enabled(self._state, [f"{api}.googleapis.com" for api in apis])

    def service(
        self, name: str = "feature-worker", region: str = DEFAULT_REGION, **settings: Any
    ) -> PlantedService:
        """The Cloud Run service, planted if it is not there; `settings` are those of Settings.

        With settings a service that is there gets a new revision.
        """
        place = Place(region, name)
        with self._state.lock:
            if settings or ("run", place.name) not in self._state.resources:
                apply(self._state, place, knative_of(place, Settings(**settings)))
        return PlantedService(self._state, place)

    def revision(
        self, name: str, service: str = "feature-worker", region: str = DEFAULT_REGION
    ) -> PlantedRevision:
        """A revision that is there."""
        return self.service(service, region).revision(name)

    def series(self, metric: str, labels: Mapping[str, str], points: Sequence[float]) -> None:
        """Plant a time series: `points` newest first, one a minute until now."""
        series.plant(self._state, metric, labels, points)
