#!/usr/bin/env bash
# Finds, and where it may installs, what gpusnap is built and run with; writes the places to build/env.sh.
#
#   scripts/bootstrap.sh             does nothing when build/env.sh still holds (no network, well under a second)
#   scripts/bootstrap.sh --refresh   looks again
#
# Needed: JDK 25, Maven 3.8, a C++20 compiler, CMake 3.22, make. Wanted: CRIU 4.1 or newer (4.2 from Linux 6.16); without it
# everything still builds and the engine `suspend` still works. Prometheus and docker-compose, for tests: without them they say so.
# Packages are installed only as root; otherwise one line a missing thing says what to install.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
env_file=$root/build/env.sh
home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
cache=${GPUSNAP_CACHE:-${XDG_CACHE_HOME:-$home/.cache}/gpusnap}

# shellcheck source=scripts/bootstrap/packages.sh
. "$root/scripts/bootstrap/packages.sh"
# shellcheck source=scripts/bootstrap/tools.sh
. "$root/scripts/bootstrap/tools.sh"
# shellcheck source=scripts/bootstrap/criu.sh
. "$root/scripts/bootstrap/criu.sh"

still_holds() {
    [ -f "$env_file" ] || return 1
    local script
    for script in "$root"/scripts/bootstrap.sh "$root"/scripts/bootstrap/*.sh; do
        [ "$env_file" -nt "$script" ] || return 1
    done
    (
        . "$env_file"
        [ -x "$JAVA_HOME/bin/javac" ] && [ -x "$MAVEN" ] && [ -x "$CXX" ] && [ -x "$CMAKE" ] || exit 1
        if [ -n "$GPUSNAP_CRIU" ]; then
            [ -x "$GPUSNAP_CRIU" ]
        else
            criu_failed_lately && say "$GPUSNAP_CRIU_REASON"
        fi
    )
}

# Tools without which nothing builds: find, else install, else say what to install and stop.
require_tools() {
    local missing=() tool
    for tool in jdk maven cxx cmake make; do
        "find_$tool" >/dev/null || missing+=("$tool")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        install_tools "${missing[@]}"
    fi
    local lacking=0
    for tool in ${missing[@]+"${missing[@]}"}; do
        if ! "find_$tool" >/dev/null; then
            # Maven cannot be asked for its version without a JDK: the JDK's line is enough.
            if [ "$tool" = maven ] && command -v mvn >/dev/null && ! find_jdk >/dev/null; then
                continue
            fi
            say "missing: $(describe_tool "$tool")"
            lacking=1
        fi
    done
    [ "$lacking" = 0 ] || exit 1
}

# Nothing that is built needs them: where one cannot be had, the tests that do are skipped.
provide_test_tools() {
    local missing=() tool
    for tool in prometheus ip compose; do
        "find_$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    install_tools "${missing[@]}"
    for tool in "${missing[@]}"; do
        "find_$tool" >/dev/null || say "missing: $(describe_tool "$tool")"
    done
}

write_env() {
    mkdir -p "$root/build"
    {
        printf 'JAVA_HOME=%q\n' "$(find_jdk)"
        printf 'MAVEN=%q\n' "$(find_maven)"
        printf 'CXX=%q\n' "$(find_cxx)"
        printf 'CMAKE=%q\n' "$(find_cmake)"
        printf 'GPUSNAP_PROMETHEUS=%q\n' "$(find_prometheus)"
        printf 'GPUSNAP_COMPOSE=%q\n' "$(find_compose)"
        printf 'GPUSNAP_CRIU=%q\n' "$criu_path"
        printf 'GPUSNAP_CRIU_REASON=%q\n' "$criu_reason"
    } >"$env_file.tmp"
    mv "$env_file.tmp" "$env_file"
}

case ${1:-} in
    '') if still_holds; then exit 0; fi ;;
    --refresh) rm -f "$cache/criu/failed" ;;
    *)
        echo "usage: $0 [--refresh]" >&2
        exit 2
        ;;
esac

mkdir -p "$cache"
require_tools
provide_test_tools
provide_criu
write_env
say "JDK $(jdk_version "$(find_jdk)"), Maven $(maven_version "$(find_maven)"), CMake $(cmake_version "$(find_cmake)"), $(basename "$(find_cxx)"), CRIU $([ -z "$criu_path" ] && echo none || criu_version "$criu_path")"
[ -z "$criu_reason" ] || say "$criu_reason"
