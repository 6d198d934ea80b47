"""The variables that lead gcloud and our own commands to the fake."""

from tests.support.google.state import PROJECT

_APIS = (
    "artifactregistry", "cloudbuild", "cloudresourcemanager", "firestore", "iam", "iamcredentials",
    "logging", "monitoring", "pubsub", "run", "serviceusage", "storage",
)  # fmt: skip


def environment(port: int, config: str) -> dict[str, str]:
    """`config` is a folder for gcloud's own files.

    A proxy, because gcloud puts a region before Cloud Run's host: no name has to be resolved.
    """
    overrides = {
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"http://{api}.test/" for api in _APIS
    }
    return {
        **overrides,
        "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}",
        "CLOUDSDK_PROXY_TYPE": "http_no_tunnel",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": str(port),
        "CLOUDSDK_CONFIG": config,
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    }
