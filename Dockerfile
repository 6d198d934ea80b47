# Needs no BuildKit: docker, podman and buildah build it. What is in it, and how big that is: docs/image.md
# The digest is that of the index of all platforms. To renew it: docs/image.md
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
# requirements-build.txt has the tools of build_feature as well.
ARG REQUIREMENTS=requirements.txt

# Changes when that file does.
FROM ${PYTHON_IMAGE} AS packages
ARG REQUIREMENTS
COPY ${REQUIREMENTS} scripts/drop_grpc.py /tmp/
# --without-pip: nothing installs anything at run time, and pip would be 16 MB of it.
# Wheels only: a source package would run its own code here and want a compiler.
# unchecked-hash: these files never change again, so Python need not compare times, which a layer may lose.
RUN python3 -m venv --without-pip /opt/venv \
    && python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --disable-pip-version-check --only-binary=:all: --require-hashes \
        -r "/tmp/${REQUIREMENTS}" \
    && /opt/venv/bin/python /tmp/drop_grpc.py \
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# Changes with every commit.
FROM ${PYTHON_IMAGE} AS code
WORKDIR /app
COPY worker ./worker
COPY handlers ./handlers
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE}
# Slim images come without the standard library's .pyc and uid 10001 cannot write them: every cold start
# would compile it again, which doubles the time to import. Test files are left out, some cannot compile.
# -B: or what compileall itself imports gets a .pyc of the other kind first, and keeps it.
RUN stdlib="$(python3 -B -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && python3 -B -m compileall -q --invalidation-mode unchecked-hash \
        -x '/(tests?|site-packages|dist-packages|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pydoc_data)/' "${stdlib}"
COPY --from=packages /opt/venv /opt/venv
COPY --from=code /app /app
WORKDIR /app
# GOOGLE_CLOUD_DISABLE_GRPC: Google's clients that can do without gRPC do, or they fail where it was dropped.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    GOOGLE_CLOUD_DISABLE_GRPC=true
# A number, so that the platform can see that it is not root; it owns no file here.
USER 10001:10001
# Exec form: python is PID 1 and gets Cloud Run's SIGTERM itself. It reads PORT.
CMD ["python", "-m", "worker", "serve"]

# Last: they change with every build, and the layers above stay cached.
ARG PYTHON_IMAGE
ARG VERSION=""
ARG REVISION=""
ARG SOURCE=""
ARG CREATED=""
LABEL org.opencontainers.image.title="feature-worker" \
    org.opencontainers.image.description="A Pub/Sub push worker for Cloud Run that turns messages into features" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.created="${CREATED}" \
    org.opencontainers.image.base.name="${PYTHON_IMAGE}"
