#!/bin/sh
# Installs what the lab and its races use beside Node.js, on Debian and its like: iproute2 and python3 for the lab, and the
# tools that race beside sluice. Needs root. Any of the tools may be left out: a race names it and goes on without it.
set -eu
apt-get update
exec apt-get install -y --no-install-recommends \
  iproute2 python3 rsync aria2 python3-libtorrent transmission-daemon uftp
