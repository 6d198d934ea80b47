"""Resource Manager and Service Usage: the project, its enabled APIs, and Google's own accounts."""

from tests.support.google.accounts import plant_account
from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import NUMBER, PROJECT, State

# On in every new project. Source: cloud.google.com/service-usage/docs/enabled-service.
_FROM_THE_START = ("logging", "monitoring", "serviceusage", "cloudresourcemanager")
_MOST_AT_ONCE = 20  # services.batchEnable


def project(_state: State, request: Request) -> Json:
    """Source: cloudresourcemanager v1 Project."""
    if request.names["project"] not in (PROJECT, NUMBER):
        message = f"Permission denied on project {request.names['project']}, or it is not there."
        raise Refused(403, message)
    return {
        "projectNumber": NUMBER, "projectId": PROJECT, "lifecycleState": "ACTIVE",
        "name": PROJECT, "createTime": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip


def enabled(state: State, api: str) -> bool:
    """Whether the API may be called: all of them, unless the test wants them enabled first."""
    known = f"projects/{PROJECT}/services/{api}.googleapis.com"
    return (
        not state.apis_must_be_enabled
        or api in _FROM_THE_START
        or ("serviceusage", known) in state.resources
    )


def check_enabled(state: State, api: str) -> None:
    """Raises Refused as an API does that was never enabled."""
    if enabled(state, api):
        return
    host = f"{api}.googleapis.com"
    message = (
        f"{host} has not been used in project {NUMBER} before or it is disabled. Enable it by "
        f"visiting https://console.developers.google.com/apis/api/{host}/overview?project={NUMBER} "
        "then retry."
    )
    raise Refused(403, message, reason="SERVICE_DISABLED")


def _service(state: State, host: str) -> Json:
    on = enabled(state, host.removesuffix(".googleapis.com"))
    return {
        "name": f"projects/{NUMBER}/services/{host}",
        "config": {"name": host},
        "state": "ENABLED" if on else "DISABLED",
        "parent": f"projects/{NUMBER}",
    }


def plant_enabled(state: State, hosts: list[str]) -> None:
    """As if somebody had enabled them."""
    for host in hosts:
        state.resources["serviceusage", f"projects/{PROJECT}/services/{host}"] = {"name": host}


def _enable(state: State, hosts: list[str]) -> Json:
    plant_enabled(state, hosts)
    return {"services": [_service(state, host) for host in hosts]}


def get_service(state: State, request: Request) -> Json:
    return _service(state, request.names["service"])


def list_services(state: State, _request: Request) -> Json:
    hosts = [one["name"] for one in state.under("serviceusage", f"projects/{PROJECT}/services")]
    hosts += [f"{api}.googleapis.com" for api in _FROM_THE_START]
    return {"services": [_service(state, host) for host in sorted(set(hosts))]}


def batch_get(state: State, request: Request) -> Json:
    hosts = [name.rpartition("/")[2] for name in request.query.get("names", "").split(",")]
    return {"services": [_service(state, host) for host in hosts if host]}


def enable(state: State, request: Request) -> Json:
    (service,) = _enable(state, [request.names["service"]])["services"]
    return state.operation("serviceusage", "", {"service": service})


def batch_enable(state: State, request: Request) -> Json:
    hosts = request.json.get("serviceIds", [])
    if not 0 < len(hosts) <= _MOST_AT_ONCE:
        raise Refused(400, f"serviceIds: 1 to {_MOST_AT_ONCE} services can be enabled at once")
    return state.operation("serviceusage", "", _enable(state, hosts))


def generate_identity(state: State, request: Request) -> Json:
    """Makes the service's own account. Source: serviceusage v1beta1 generateServiceIdentity."""
    api = request.names["service"].removesuffix(".googleapis.com")
    email = f"service-{NUMBER}@gcp-sa-{api}.iam.gserviceaccount.com"
    account = plant_account(state, email)
    kind = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
    identity = {"@type": kind, "email": email, "uniqueId": account["uniqueId"]}
    return state.operation("serviceusage", "", identity)


ROUTES = (
    route("cloudresourcemanager", "GET", "/v1/projects/{project}", project),
    route("serviceusage", "GET", "/v1/projects/{project}/services:batchGet", batch_get),
    route("serviceusage", "GET", "/v1/projects/{project}/services", list_services),
    route("serviceusage", "GET", "/v1/projects/{project}/services/{service}", get_service),
    route("serviceusage", "POST", "/v1/projects/{project}/services/{service}:enable", enable),
    route("serviceusage", "POST", "/v1/projects/{project}/services:batchEnable", batch_enable),
    route(
        "serviceusage", "POST",
        "/v1beta1/projects/{project}/services/{service}:generateServiceIdentity", generate_identity,
    ),
)  # fmt: skip
