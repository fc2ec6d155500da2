#!/bin/sh
# Checks epmpi.def without Apptainer: a Debian root made by debootstrap in place of the image, in which
# its %post, %environment and %test are run.  Root only; DIRECTORY grows to about 1.5 GB.
# What it cannot show: how Apptainer itself builds, and how a site's mpirun starts its ranks.
# usage: sh containers/check.sh DIRECTORY [MIRROR]
set -eu
cd "$(dirname "$0")/.."
root=$1 mirror=${2:-http://deb.debian.org/debian}

# section NAME: the lines of a section of the definition.
section() {
    awk -v name="%$1" '/^%/ { inside = ($1 == name); next } inside' containers/epmpi.def
}

inside() {
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        PIP_CERT=/root/certificates.crt "$@"
}

[ -x "$root/bin/sh" ] || debootstrap --variant=minbase bookworm "$root" "$mirror"
# How this machine reaches its package index and checks certificates.
for file in /etc/pip.conf /etc/xdg/pip /etc/resolv.conf; do
    if [ -e "$file" ]; then mkdir -p "$root$(dirname "$file")" && cp -r "$file" "$root$file"; fi
done
cp /etc/ssl/certs/ca-certificates.crt "$root/root/certificates.crt"
section files | while read -r from to; do
    [ -n "$from" ] || continue
    rm -rf "${root:?}$to"
    mkdir -p "$root$(dirname "$to")"
    cp -r "$from" "$root$to"
done
for directory in dev proc sys; do
    mountpoint -q "$root/$directory" || mount --bind "/$directory" "$root/$directory"
done
trap 'umount --lazy "$root/dev" "$root/proc" "$root/sys"' EXIT

section post > "$root/tmp/post.sh"
{ section environment; section test; } > "$root/tmp/test.sh"
inside sh /tmp/post.sh
inside sh /tmp/test.sh
echo "containers/epmpi.def: %post and %test have passed"
