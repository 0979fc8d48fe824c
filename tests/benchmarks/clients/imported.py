"""Row 13: seconds that one import takes in a fresh interpreter."""

import importlib
import json
import sys
import time


def main():
    options = json.loads(sys.argv[1])
    began = time.perf_counter()
    module = importlib.import_module(options["name"])
    for name in options.get("used", ()):
        getattr(module, name)
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
