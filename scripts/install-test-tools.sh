#!/usr/bin/env bash
# Installs what some tests need beside Node, on Debian and its kin: Chromium for the tests of the dashboard, and a font so
# that its screenshots look alike everywhere; zsh and fish, in which completion is tried. Without them those tests are skipped, and
# say so. promtool, which checks metrics and alerts, comes only with Prometheus itself, and is used where it is there.
set -euo pipefail
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
"${as_root[@]}" apt-get update
"${as_root[@]}" apt-get install --yes --no-install-recommends chromium fonts-inter fonts-dejavu-core zsh fish
