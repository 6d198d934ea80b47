# Pin the base in production:  --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# --without-pip: nothing installs anything at run time, and pip would be 16 MB of it.
RUN python3 -m venv --without-pip /opt/venv
COPY requirements.txt /tmp/requirements.txt
# Wheels only: a source package would run its own code here and want a compiler.
RUN python3 -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
        --only-binary=:all: --require-hashes -r /tmp/requirements.txt
WORKDIR /app
COPY worker ./worker
COPY handlers ./handlers
# unchecked-hash: these files never change again, so Python need not compare times, which a layer may lose.
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib /app

FROM ${PYTHON_IMAGE}
# Slim images come without the standard library's .pyc and uid 10001 cannot write them: every cold start
# would compile it again, which doubles the time to import. Test files are left out, some cannot compile.
RUN stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && python3 -m compileall -q --invalidation-mode unchecked-hash \
        -x '/(tests?|site-packages|dist-packages|idlelib|tkinter|turtledemo|ensurepip|lib2to3)/' "${stdlib}"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
# A number, so that the platform can see that it is not root; it owns no file here.
USER 10001:10001
# Exec form: python is PID 1 and gets Cloud Run's SIGTERM itself. It reads PORT.
CMD ["python", "-m", "worker", "serve"]
