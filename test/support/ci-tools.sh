#!/usr/bin/env bash
# Builds what the tests need and nobody packages: an OpenTelemetry Collector, from test/otelcol. It goes to the
# user's cache, by a name that changes with its sources, where test/support/collector.ts finds it. The first
# build takes a minute or two of two cores; later ones are done when they see that it is there.
set -euo pipefail
cd "$(dirname "$0")/../otelcol"

directory="${XDG_CACHE_HOME:-$HOME/.cache}/gantry"
program="$directory/otelcol-$(cat go.mod go.sum main.go | sha256sum | cut -c 1-16)"
[ -x "$program" ] && exit

if ! command -v go >/dev/null; then
  echo "The tests of tracing need Go, to build the OpenTelemetry Collector: https://go.dev/doc/install" >&2
  exit
fi
mkdir -p "$directory"
built="$(mktemp "$directory/.otelcol.XXXXXX")"
trap 'rm -f "$built"' EXIT
echo "Building the OpenTelemetry Collector, once: $program"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$built" .
mv "$built" "$program"
