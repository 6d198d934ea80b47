# Ours, with the standard library as slim images bring it.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
USER 0:0
RUN ["python", "-c", "import pathlib, sysconfig; [one.unlink() for one in pathlib.Path(sysconfig.get_path('stdlib')).rglob('*.pyc')]"]
USER 10001:10001
