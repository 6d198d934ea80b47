"""Run without the repository on the path: publish what comes on stdin with the exported package.

Lines in: feature, class (null for a feature without one) and requirements. Lines out: message ids.
"""

import importlib
import importlib.util
import json
import sys

sys.path.insert(0, sys.argv[1])
assert importlib.util.find_spec("worker") is None, "the repository is on the path"

feature_publisher = importlib.import_module("feature_publisher")
for line in sys.stdin:
    name, class_name, requirements = json.loads(line)
    want = requirements
    if class_name is not None:
        want = getattr(feature_publisher, class_name).model_validate(requirements)
    options = {"feature": name} if class_name is None else {}
    message_id = feature_publisher.publish(want, topic="projects/p/topics/features", **options)
    sys.stdout.write(f"{message_id}\n")

loaded = {one.partition(".")[0] for one in sys.modules if one.startswith(("flask", "click"))}
assert not loaded, f"the publisher loads {loaded}"
