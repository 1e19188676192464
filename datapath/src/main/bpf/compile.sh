#!/bin/sh
# compile.sh FROM TO [silently]: compiles each *.bpf.c of folder FROM for the kernel's BPF machine into folder TO.
# Without clang or the headers it says so (unless told not to) and succeeds: Weft then runs without what is written in C.
set -eu

from=$1
to=$2
silently=${3:-}
# Where Debian's multiarch keeps <asm/types.h>, which belongs to the host and not to the BPF target.
flags="-O2 -g -target bpf -mcpu=v3 -Wall -Werror -I$from -I/usr/include/$(uname -m)-linux-gnu"

without() {
    [ -n "$silently" ] ||
        echo "weft: $1: built without the ebpf datapath (Debian packages: clang libbpf-dev linux-libc-dev)"
    exit 0
}

set -- "$from"/*.bpf.c
[ -e "$1" ] || exit 0
command -v clang >/dev/null || without 'no clang'
printf '#include <linux/bpf.h>\n#include <linux/types.h>\n#include <bpf/bpf_helpers.h>\n' |
    clang $flags -x c -c - -o /dev/null 2>/dev/null || without 'clang finds no headers of libbpf and the kernel, or does not compile for BPF'

mkdir -p "$to"
for source; do
    object=$to/$(basename "$source" .c).o
    # Newer than all sources and headers, which tests share: nothing to do.
    if [ -e "$object" ] && [ -z "$(find "$from" "$(dirname "$0")" -newer "$object" -print)" ]; then
        continue
    fi
    clang $flags -c "$source" -o "$object.new"
    mv "$object.new" "$object"
done
