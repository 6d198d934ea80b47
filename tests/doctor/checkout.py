"""A checkout in which nothing is wrong, to plant one mistake in."""

from collections.abc import Iterable
from pathlib import Path

from worker.deployment import Deployment
from worker.doctor.cloudbuild import form, order, substitutions
from worker.doctor.cloudbuild.reading import read_build
from worker.doctor.dockerfile import contents, process
from worker.doctor.dockerfile.ignore import Ignored
from worker.doctor.dockerfile.reading import read_dockerfile
from worker.doctor.finding import Finding
from worker.doctor.folder import Folder
from worker.doctor.settings import access, agreement, capacity, variables
from worker.doctor.settings.deployed import deployments

DEPLOYMENT = Deployment(project="demo-project")
NO_PROGRAMS = {"PATH": "/nowhere"}

CLOUDBUILD = """\
steps:
  - id: build
    name: gcr.io/cloud-builders/docker
    args: [build, --tag, "${_IMAGE}:${_TAG}", .]
  - id: push
    name: gcr.io/cloud-builders/docker
    waitFor: [build]
    args: [push, "${_IMAGE}:${_TAG}"]
  - id: deploy
    name: gcr.io/google.com/cloudsdktool/google-cloud-cli:slim
    entrypoint: bash
    args:
      - -euc
      - |
        suffix=$BUILD_ID
        tag="t$${suffix:0:8}"
        gcloud run deploy feature-worker \\
          --region=${_REGION} \\
          --image=${_IMAGE}:${_TAG} --tag="$$tag" \\
          --no-traffic --no-allow-unauthenticated \\
          --service-account=feature-worker@$PROJECT_ID.iam.gserviceaccount.com \\
          --concurrency=8 --timeout=610 --memory=512Mi --cpu=1 --max-instances=10 \\
          --set-env-vars=PUSH_AUTH=cloud-run-iam,GOOGLE_CLOUD_PROJECT=$PROJECT_ID,\
QUARANTINE=topic:projects/$PROJECT_ID/topics/feature-worker-quarantine,CLAIMS=firestore
  - id: smoke
    name: ${_IMAGE}:${_TAG}
    entrypoint: python
    args: [-m, worker, smoke]
  - id: traffic
    name: gcr.io/google.com/cloudsdktool/google-cloud-cli:slim
    entrypoint: gcloud
    args: [run, services, update-traffic, feature-worker, --to-latest, "--region=${_REGION}"]
    timeout: 60s
substitutions:
  _REGION: europe-west1
  _TAG: $BUILD_ID
  _IMAGE: ${_REGION}-docker.pkg.dev/$PROJECT_ID/feature-worker/feature-worker
images: ["${_IMAGE}:${_TAG}"]
serviceAccount: projects/$PROJECT_ID/serviceAccounts/build@$PROJECT_ID.iam.gserviceaccount.com
options:
  dynamicSubstitutions: true
  logging: CLOUD_LOGGING_ONLY
timeout: 1200s
"""

DOCKERFILE = """\
ARG PYTHON_IMAGE=python:3.13-slim@sha256:{digest}
FROM ${{PYTHON_IMAGE}} AS build
RUN python3 -m venv --without-pip /opt/venv \\
    && python3 -m pip --python /opt/venv/bin/python install -r requirements.txt
COPY requirements.txt ./
COPY handlers /app/handlers
RUN python3 -m compileall -q /opt/venv/lib /app
FROM ${{PYTHON_IMAGE}}
RUN python3 -m compileall -q /usr/local/lib/python3.13
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH
USER 10001:10001
CMD ["python", "-m", "worker", "serve"]
""".format(digest="0123456789abcdef" * 4)

IGNORE = "*\n!requirements.txt\n!handlers\n**/__pycache__\n"
HANDLER = """\
from worker import Context, feature

@feature("beat")
def beat(context: Context) -> None:
    \"\"\"Beat.\"\"\"
"""
LOCK = "# made by a tool\npydantic==2.12.0 \\\n    --hash=sha256:00\n"
FILES = {
    "cloudbuild.yaml": CLOUDBUILD,
    "Dockerfile": DOCKERFILE,
    ".dockerignore": IGNORE,
    "handlers/__init__.py": "",
    "handlers/beat.py": HANDLER,
    "requirements.txt": LOCK,
    "pyproject.toml": '[project]\nrequires-python = ">=3.11,<3.14"\n',
}


def write(folder: Path, **changed: str | None) -> Path:
    """The checkout in `folder`; a file that is `changed` to None is not there."""
    for name, text in {**FILES, **changed}.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder


def planted(text: str, old: str, new: str) -> str:
    """The text with one mistake."""
    assert old in text, old
    return text.replace(old, new)


def in_cloudbuild(text: str, folder: Path, deployment: Deployment = DEPLOYMENT) -> list[Finding]:
    """What is found in a cloudbuild.yaml, but by gcloud."""
    build = read_build(text)
    findings = [*form.examine(build), *substitutions.examine(build), *order.examine(build)]
    for deployed in deployments(build, Folder(folder)):
        findings += variables.examine(deployed)
        findings += access.examine(deployed)
        findings += capacity.examine(deployed, deployment)
        findings += agreement.examine(build, deployed, deployment)
    return findings


def in_dockerfile(text: str, folder: Path, ignore: str = IGNORE) -> list[Finding]:
    """What is found in a Dockerfile."""
    dockerfile = read_dockerfile(text)
    return [
        *process.examine(dockerfile),
        *contents.examine(dockerfile, folder, Ignored(ignore)),
    ]


def names(findings: Iterable[Finding]) -> list[str]:
    """The checks that found something."""
    return [finding.check for finding in findings]


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds `part`."""
    return text[: text.index(part)].count("\n") + 1
