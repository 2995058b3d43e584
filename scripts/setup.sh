#!/bin/sh
# Installs what a build needs and the machine lacks: a C compiler (libyara is C) and the headers of libc.
set -eu

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: Rust is missing; install it first (1.95 or newer)" >&2
    exit 1
fi
if command -v cc >/dev/null 2>&1 && [ -e /usr/include/stdio.h ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: a C compiler is missing, and this is no Debian: install gcc and the libc headers" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
$as_root apt-get update -q
$as_root apt-get install -q -y --no-install-recommends gcc libc6-dev
