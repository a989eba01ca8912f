"""What `berth serve FILE` runs: this file's folder is where ADK finds the app, so it is where Python looks too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from provisioner.serving.service import main

main(sys.argv[1])
