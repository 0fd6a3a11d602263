# Provides CRIU 4.1 or newer, on newer kernels 4.2. Sourced by bootstrap.sh; sets criu_path, or criu_reason.
#
# Older kernels' CRIU fails on newer kernels, and the distributions that people run ship an old one. So, in this order:
#   1. what GPUSNAP_CRIU or the PATH names, if new enough
#   2. what an earlier run unpacked into the cache
#   3. the machine's own package, as root, if new enough
#   4. Debian and Ubuntu: the package of a newer release with every library it needs down to libc, unpacked into the
#      cache and run through its own dynamic loader. Nothing of the machine changes. The archive's address and the
#      keys come from the machine's own apt configuration (docs/decisions/0002).

# Since Linux 6.16 CRIU 4.1 cannot dump a process that has a TCP socket, not even a listening one: the kernel answers
# its SO_PASSCRED query with an error. 4.2 knows.
criu_minimum=4.1
if version_at_least 6.16 "$(uname -r)"; then
    criu_minimum=4.2
fi
criu_path=''
criu_reason=''

criu_version() {
    "$1" --version 2>/dev/null </dev/null | sed -n 's/^Version: *\([0-9.]*\).*/\1/p'
}

criu_new_enough() {
    local version
    [ -n "$1" ] && [ -x "$1" ] || return 1
    version=$(criu_version "$1")
    [ -n "$version" ] && version_at_least "$criu_minimum" "$version"
}

# An attempt that failed is not repeated for an hour, so that a machine without network does not wait at every make.
criu_failed_lately() {
    [ -n "$(find "$cache/criu/failed" -mmin -60 2>/dev/null)" ]
}

installed_criu() {
    local candidate
    for candidate in "${GPUSNAP_CRIU:-}" "$(command -v criu || true)" /usr/sbin/criu /usr/local/sbin/criu \
        "$cache"/criu/*/criu; do
        if criu_new_enough "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

provide_criu() {
    local why log=$cache/criu/log
    if criu_path=$(installed_criu); then
        return 0
    fi
    mkdir -p "$cache/criu"
    if criu_failed_lately; then
        why=$(cat "$cache/criu/failed")
    else
        say "no CRIU $criu_minimum or newer here, getting one (log: $log)"
        if obtain_criu >"$log" 2>&1 && criu_path=$(installed_criu); then
            return 0
        fi
        why=$(grep -E '^(E|bootstrap): ' "$log" | tail -n 1)
        echo "$why" >"$cache/criu/failed"
    fi
    criu_path=''
    criu_reason="no CRIU $criu_minimum or newer (${why#bootstrap: }): the engine suspend works, full snapshots need it; install criu, or set GPUSNAP_CRIU, then run scripts/bootstrap.sh --refresh"
}

# The last line of its own or of apt's ("E:") says why it failed.
obtain_criu() {
    local candidate
    if may_install; then
        refresh_package_lists_if_missing
        candidate=$(package_candidate criu)
        if [ -n "$candidate" ] && version_at_least "$criu_minimum" "$candidate"; then
            install_packages criu
            return
        fi
    fi
    if [ "$(package_manager)" = apt ]; then
        unpack_newer_criu
    else
        say "the machine's repositories have ${candidate:-none}"
        return 1
    fi
}

# ---- a newer release's package, unpacked ----

# Prints the archive's addresses that this machine takes its own release from, as apt itself understands its sources.
own_archives() {
    local codename
    codename=$(. /etc/os-release && echo "${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}")
    apt-get indextargets --format '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(CREATED_BY)' 2>/dev/null |
        awk -F'|' -v codename="$codename" \
            '$4 == "main" && $5 == "Packages" && ($2 == codename || $3 == codename) && !seen[$1]++ { print $1 }'
}

# Suites by their lasting names, so that this list does not age. Newest first: 4.2 dumps faster than stable's 4.1.
newer_suites() {
    case $1 in
        debian) echo unstable testing stable ;;
        ubuntu) echo devel ;;
    esac
}

distribution_family() {
    local ids
    ids=$(. /etc/os-release && echo "$ID ${ID_LIKE:-}")
    case " $ids " in
        *' ubuntu '*) echo ubuntu ;;
        *' debian '*) echo debian ;;
    esac
}

# Prints the options of a source line. Signatures are always checked: with the distribution's own keyring where it is
# a file, with apt's trusted keys otherwise.
keyring_option() {
    local family=$1 keyring
    for keyring in "$2"/usr/share/keyrings/"$family"-archive-keyring.{pgp,gpg}; do
        if [ -f "$keyring" ]; then
            echo "[signed-by=$keyring]"
            return 0
        fi
    done
}

# A release older than the wanted one may not know its key yet. Its own archive carries the newer keyring, signed by
# a key that the machine trusts already.
fetch_newer_keyring() {
    local package=debian-archive-keyring into=$2
    [ "$1" = debian ] || package=ubuntu-keyring
    (
        mkdir -p "$into" && cd "$into" || exit 1
        if [ "$(id -u)" = 0 ]; then
            apt-get update -q </dev/null >&2 || true
        fi
        apt-get -o APT::Sandbox::User="$(id -un)" download -q "$package" </dev/null >&2
        dpkg -x ./*.deb .
    )
}

# apt with lists, cache and dpkg database of its own: it resolves against an empty machine, so it brings every library.
write_private_apt() {
    local dir=$1 source=$2
    mkdir -p "$dir"/{lists/partial,archives/partial,empty}
    : >"$dir/status"
    echo "deb $source" >"$dir/sources.list"
    cat >"$dir/apt.conf" <<EOF
Dir::State "$dir";
Dir::State::Lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache "$dir";
Dir::Cache::archives "$dir/archives";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "$dir/empty";
Dir::Etc::preferences "$dir/empty/none";
Dir::Etc::preferencesparts "$dir/empty";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "1";
EOF
}

private_apt() {
    local dir=$1
    shift
    APT_CONFIG=$dir/apt.conf "$@" </dev/null
}

download_criu() {
    local dir=$1 source=$2 version
    write_private_apt "$dir" "$source"
    private_apt "$dir" apt-get update -q >&2 || return 1
    version=$(private_apt "$dir" apt-cache policy criu | sed -n 's/^ *Candidate: *\([^(].*\)$/\1/p')
    if [ -z "$version" ] || ! version_at_least "$criu_minimum" "$version"; then
        say "the release $(basename "$dir") has CRIU ${version:-none}"
        return 1
    fi
    private_apt "$dir" apt-get install -y -q --download-only criu >&2
}

write_criu_wrapper() {
    local dir=$1 loader=$2
    cat >"$dir/criu" <<EOF
#!/bin/sh
# CRIU of a newer release, run through its own loader and libraries: it needs a newer libc than the machine's.
root=\$(dirname "\$(readlink -f "\$0")")/root
unset LD_PRELOAD
exec "\$root$loader" --library-path "\$root$(dirname "$loader")" --argv0 criu "\$root/usr/sbin/criu" "\$@"
EOF
    chmod +x "$dir/criu"
}

unpack_criu() {
    local archives=$1 into=$2 package loader
    mkdir -p "$into/root"
    for package in "$archives"/*.deb; do
        dpkg -x "$package" "$into/root"
    done
    rm -rf "$into"/root/usr/share/{doc,man,locale}
    loader=$(find "$into/root/usr/lib" -name 'ld-linux*.so.*' -type f | head -n 1)
    if [ -z "$loader" ]; then
        say "the packages hold no dynamic loader"
        return 1
    fi
    write_criu_wrapper "$into" "${loader#"$into/root"}"
    if ! criu_new_enough "$into/criu"; then
        say "the unpacked CRIU does not start: $("$into/criu" --version 2>&1 | tail -n 1)"
        return 1
    fi
}

unpack_newer_criu() {
    local family archives suites work
    family=$(distribution_family)
    archives=$(own_archives)
    suites=$(newer_suites "$family")
    if [ -z "$archives" ] || [ -z "$suites" ]; then
        say "apt's sources name no Debian or Ubuntu archive"
        return 1
    fi
    work=$(mktemp -d "$cache/criu-download.XXXXXX")
    # shellcheck disable=SC2064  # the value of now
    trap "rm -rf '$work'" EXIT
    try_newer_suites "$family" "$archives" "$suites" "$work"
}

try_newer_suites() {
    local family=$1 archives=$2 suites=$3 work=$4 archive suite components=main option target
    [ "$family" = debian ] || components='main universe'
    for suite in $suites; do
        for archive in $archives; do
            say "taking CRIU from the release $suite"
            option=$(keyring_option "$family" '')
            if ! download_criu "$work/$suite" "$option $archive $suite $components" 2>"$work/log"; then
                cat "$work/log" >&2
                grep -q -E 'NO_PUBKEY|not available|missing key|Missing key' "$work/log" || continue
                fetch_newer_keyring "$family" "$work/keyring" || continue
                option=$(keyring_option "$family" "$work/keyring")
                [ -n "$option" ] || continue
                rm -rf "${work:?}/$suite"
                download_criu "$work/$suite" "$option $archive $suite $components" || continue
            fi
            unpack_criu "$work/$suite/archives" "$work/unpacked" || { rm -rf "$work/unpacked" && continue; }
            target=$cache/criu/$suite-$(criu_version "$work/unpacked/criu")
            mkdir -p "$cache/criu"
            # Another bootstrap may have been faster: what it put there is as good.
            mv -T "$work/unpacked" "$target" 2>/dev/null || [ -x "$target/criu" ] || return 1
            rm -f "$cache/criu/failed"
            return 0
        done
    done
    return 1
}
