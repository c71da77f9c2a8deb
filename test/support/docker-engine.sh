#!/usr/bin/env bash
# `docker-engine.sh start` sees to it that a Docker engine answers and that the bases of images are there:
# on Debian, as root, it installs the engine where none is, and runs it. `docker-engine.sh stop` ends the one that
# it has started, and no other. All that the engine keeps is below /tmp/gantry-docker.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
directory=/tmp/gantry-docker
pid_file="$directory/dockerd.pid"
# Where a machine reaches no registry, this makes stand-ins for the bases. It is not part of the repository.
bases="$here/../../../shared/tools/make-base-images.sh"

start() {
  if ! docker info >/dev/null 2>&1; then
    if [ "$(id -u)" != 0 ]; then
      echo "No Docker engine answers, and only root can start one." >&2
      exit 1
    fi
    if ! command -v dockerd >/dev/null || ! command -v iptables >/dev/null || ! command -v debootstrap >/dev/null; then
      apt-get update -qq
      # RUNLEVEL=1: install it, but do not start it as a service of the system.
      DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends docker.io iptables debootstrap
    fi
    mkdir -p "$directory"
    setsid dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$pid_file" \
      >"$directory/log" 2>&1 </dev/null &
    for _ in $(seq 60); do
      if docker info >/dev/null 2>&1; then break; fi
      sleep 1
    done
    if ! docker info >/dev/null 2>&1; then
      echo "The Docker engine does not answer:" >&2
      tail -n 20 "$directory/log" >&2
      exit 1
    fi
  fi
  if [ -f "$bases" ]; then bash "$bases"; fi
}

stop() {
  [ -f "$pid_file" ] || return 0
  local pid
  pid="$(cat "$pid_file")"
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 30); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 1
  done
  # The engine leaves its mount of the host's network namespace behind.
  umount "$directory/exec/netns/default" 2>/dev/null || true
  rm -rf "$directory"
}

case "${1:-}" in
  start | stop) "$1" ;;
  *)
    echo "docker-engine.sh was called with \"${1:-}\": expected start or stop." >&2
    exit 1
    ;;
esac
