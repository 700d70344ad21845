#!/bin/sh
# Makes both programs anew: needs binutils and binutils-aarch64-linux-gnu (Debian). The results are committed.
set -eu
cd "$(dirname "$0")"
make() {
    "$2as" -o "wait-$1.o" "wait-$1.s"
    "$2ld" -static -z noseparate-code --build-id=none -z noexecstack -o "sisyphus-wait-$1" "wait-$1.o"
    "$2strip" --strip-all --remove-section=.note.gnu.property "sisyphus-wait-$1"
    rm "wait-$1.o"
}
[ "$(uname -m)" = x86_64 ] && amd64= || amd64=x86_64-linux-gnu-
[ "$(uname -m)" = aarch64 ] && arm64= || arm64=aarch64-linux-gnu-
make amd64 "$amd64"
make arm64 "$arm64"
