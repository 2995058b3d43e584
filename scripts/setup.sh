#!/bin/sh
# Installs what a build needs and the machine lacks: a C compiler (libyara is C) and the headers of libc.
# With the argument `tests` also what tests talk to where they can (ClamAV's daemon, OpenSSH's and Samba's servers, none of
# them started as a service), the programs age and strace, and programs that
# put passwords on files.
set -eu

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: Rust is missing; install it first (1.95 or newer)" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"

compiler() {
    if command -v cc >/dev/null 2>&1 && [ -e /usr/include/stdio.h ]; then
        return 0
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: a C compiler is missing, and this is no Debian: install gcc and the libc headers" >&2
        exit 1
    fi
    $as_root apt-get update -q
    $as_root apt-get install -q -y --no-install-recommends gcc libc6-dev
}

# Tests run without these too and say so; whoever is not root is not asked for a password for that.
servers_for_tests() {
    missing=""
    [ -x /usr/sbin/clamd ] || [ -x /usr/bin/clamd ] || missing="$missing clamav-daemon"
    { [ -x /usr/sbin/sshd ] && [ -x /usr/bin/ssh ]; } || missing="$missing openssh-server openssh-client"
    [ -x /usr/sbin/smbd ] || missing="$missing samba"
    [ -x /usr/bin/age ] || missing="$missing age"
    [ -x /usr/bin/strace ] || missing="$missing strace"
    if [ -z "$missing" ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: missing:$missing; the tests that need them will say so (Debian: install them)" >&2
        return 0
    fi
    echo "setup: installing$missing for the tests; no service is started" >&2
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    # shellcheck disable=SC2086 # a list of words
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } ||
        echo "setup:$missing could not be installed; the tests that need them will say so" >&2
}

# Other people's programs that lock files: the tests that compare with them say so where they are missing.
lockers() {
    if command -v 7z >/dev/null 2>&1 && command -v zip >/dev/null 2>&1 && command -v qpdf >/dev/null 2>&1 &&
        command -v msoffcrypto-tool >/dev/null 2>&1; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: for all tests of passwords (Debian): p7zip-full zip qpdf python3-msoffcrypto-tool" >&2
        return 0
    fi
    { apt-get update -q &&
        apt-get install -q -y --no-install-recommends p7zip-full zip qpdf python3-msoffcrypto-tool; } ||
        echo "setup: the programs that lock files could not be installed; the tests that need them will say so" >&2
}

# What makes the images that the readers of media are tested with; nothing of it is part of the product.
images() {
    command -v mcopy >/dev/null 2>&1 && command -v wimapply >/dev/null 2>&1 && command -v genisoimage >/dev/null 2>&1 &&
        [ -x /usr/sbin/mkfs.vfat ] && [ -x /usr/sbin/mkfs.exfat ] && [ -x /usr/sbin/mkntfs ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: tools that make images of media are missing; the tests that need them will say so (Debian: install" \
            "mtools dosfstools exfatprogs ntfs-3g wimtools genisoimage e2fsprogs)" >&2
        return 0
    fi
    { apt-get update -q && apt-get install -q -y --no-install-recommends \
        mtools dosfstools exfatprogs ntfs-3g wimtools genisoimage e2fsprogs; } ||
        echo "setup: tools that make images of media could not be installed; the tests that need them will say so" >&2
}

compiler
if [ "${1:-}" = tests ]; then
    servers_for_tests
    lockers
    images
fi
