"""The whole as a bash script of gcloud commands: for an empty project, and safe to run twice."""

from worker.client.text import quote
from worker.deployment import Deployment
from worker.provision.inventory import Section, sections_of

_HEAD = """\
#!/usr/bin/env bash
# What `python -m worker provision` makes, as gcloud commands. It can be run again at any time:
# what is there stays, and subscriptions get the settings that they have here.
set -euo pipefail
"""
_TOOLS = """\
export CLOUDSDK_CORE_PROJECT="$PROJECT" CLOUDSDK_CORE_DISABLE_PROMPTS=1

FILES="$(mktemp -d)"
trap 'rm -rf "$FILES"' EXIT

# What was just made is not known everywhere at once: try for two minutes.
retry() {
  local tries=12
  until "$@"; do
    tries=$((tries - 1))
    if ((tries == 0)); then return 1; fi
    sleep 10
  done
}
"""
_LOOKED_UP = """\
NUMBER="$(gcloud projects describe "$PROJECT" --format='value(projectNumber)')"
AGENT="service-$NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
"""
_URL = """\
# The service is made by the build: without it there is no URL, and messages wait.
URL="$(gcloud run services describe {service} --region="$REGION" \\
  --format='value(status.url)' 2>/dev/null || true)"
"""


def as_script(deployment: Deployment) -> str:
    """The script. Nothing is asked of anybody."""
    first, *others = sections_of(deployment)
    parts = [
        _HEAD,
        _variables(deployment),
        _TOOLS,
        _section(first),
        _LOOKED_UP + _URL.format(service=deployment.service),
        *map(_section, others),
    ]
    return "\n".join(parts)


def _variables(deployment: Deployment) -> str:
    accounts = {
        "RUNTIME": deployment.runtime_account,
        "PUSHER": deployment.push_account,
        "BUILDER": deployment.build_account,
    }
    lines = [f"PROJECT={quote(deployment.project)}", f"REGION={deployment.region}"]
    lines += [
        f'{name}="{account}@$PROJECT.iam.gserviceaccount.com"' for name, account in accounts.items()
    ]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> str:
    title, resources = section
    return "\n".join([f"# {title}", *(resource.script() for resource in resources)]) + "\n"
