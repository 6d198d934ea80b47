"""One answer for each call: refused on purpose, handed on, or given by the fake itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.google import (
    accounts,
    artifacts,
    firestore,
    logging,
    monitoring,
    operations,
    policies,
    projects,
    pubsub,
    run,
    series,
    storage,
)
from tests.support.google.faults import Fault
from tests.support.google.forward import Answer, answer_of, exists, forward
from tests.support.google.request import Call, Refused, Request, read
from tests.support.google.routes import Routes
from tests.support.google.state import State

_ROUTES = Routes(
    (
        *policies.ROUTES,
        *operations.ROUTES,
        *projects.ROUTES,
        *accounts.ROUTES,
        *artifacts.ROUTES,
        *firestore.ROUTES,
        *logging.ROUTES,
        *monitoring.ROUTES,
        *series.ROUTES,
        *pubsub.ROUTES,
        *run.ROUTES,
        *storage.ROUTES,
    )
)
_UNIMPLEMENTED = 501
_OK = 200
_NO_CONTENT = 204


@dataclass(slots=True)
class Answering:
    """`targets` is where the calls of an API are handed on to, "" for nowhere."""

    state: State
    targets: Mapping[str, str]
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state.exists_elsewhere = self._exists_elsewhere

    def answer(self, method: str, address: str, host: str, body: bytes) -> Answer:
        """The answer; the call is written down."""
        try:
            request = read(method, address, host, body)
        except Refused as refused:
            self.calls.append(Call(method, "", address, {}, None, refused.status))
            return answer_of(refused.status, refused.json())
        answer = self._answer(request)
        path, query = request.path, request.query
        call = Call(method, request.api, path, query, request.body, answer.status)
        self.calls.append(call)
        return answer

    def _answer(self, request: Request) -> Answer:
        try:
            self._check(request)
            if target := self._target(request):
                return self._handed_on(target, request)
            return self._own(request)
        except Refused as refused:
            return answer_of(refused.status, refused.json())

    def _check(self, request: Request) -> None:
        """Raises Refused for a fault that is planted, and for an API that is off."""
        with self.state.lock:
            for fault in self.faults:
                fault.check(request)
            projects.check_enabled(self.state, request.api)

    def _target(self, request: Request) -> str:
        """Of Logging, metrics and sinks stay here."""
        if request.api == "logging" and logging.is_ours(request.path):
            return ""
        return self.targets.get(request.api, "")

    def _handed_on(self, target: str, request: Request) -> Answer:
        """Google's emulator knows no policies: they are kept here then."""
        answer = forward(target, request)
        if answer.status == _UNIMPLEMENTED and request.path.endswith("IamPolicy"):
            return self._own(request)
        if answer.status == _OK and request.method == "DELETE":
            self.state.policies.pop((request.api, request.parent), None)
        return answer

    def _own(self, request: Request) -> Answer:
        with self.state.lock:
            answered = _ROUTES.answer(self.state, request)
        return Answer(_NO_CONTENT, b"") if answered is None else answer_of(_OK, answered)

    def _exists_elsewhere(self, api: str, name: str) -> bool:
        target = self.targets.get(api, "")
        return bool(target) and exists(target, api, name)
