# Ours, with nothing compiled.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
USER 0:0
RUN ["python", "-c", "import pathlib, sysconfig; [one.unlink() for top in (sysconfig.get_path('stdlib'), '/opt/venv', '/app') for one in pathlib.Path(top).rglob('*.pyc')]"]
USER 10001:10001
