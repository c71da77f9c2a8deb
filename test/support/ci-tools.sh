#!/usr/bin/env bash
# Builds what the tests need and nobody packages, each from the Go module of its name in test/:
#   otelcol     an OpenTelemetry Collector: a minute or two of two cores
#   k6          k6, for load tests: likewise
# They go to the user's cache, by names that change with their sources, where test/support/programs.ts finds them;
# what is there already is not built again.
set -euo pipefail
cd "$(dirname "$0")/.."

directory="${XDG_CACHE_HOME:-$HOME/.cache}/gantry"

build() {
  local name="$1" program built
  program="$directory/$name-$(cat "$name"/go.mod "$name"/go.sum "$name"/main.go | sha256sum | cut -c 1-16)"
  if [ ! -x "$program" ]; then
    if ! command -v go >/dev/null; then
      echo "The tests need Go, to build $name: https://go.dev/doc/install" >&2
      return
    fi
    mkdir -p "$directory"
    built="$(mktemp "$directory/.$name.XXXXXX")"
    trap 'rm -f "$built"' RETURN
    echo "Building $name, once: $program"
    (cd "$name" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$built" .)
    mv "$built" "$program"
  fi
}

build otelcol
build k6
