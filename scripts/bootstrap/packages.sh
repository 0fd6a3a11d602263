# The machine's package manager, as far as the bootstrap needs it. Sourced by bootstrap.sh.

say() {
    echo "bootstrap: $*" >&2
}

# version_at_least 4.1 4.2.1 → true
version_at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

package_manager() {
    if command -v apt-get >/dev/null; then
        echo apt
    elif command -v dnf >/dev/null; then
        echo dnf
    fi
}

may_install() {
    [ "$(id -u)" = 0 ] && [ -n "$(package_manager)" ]
}

# A container image often comes without the lists of packages.
refresh_package_lists_if_missing() {
    if [ "$(package_manager)" = apt ] && ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
        apt-get update -q </dev/null >&2
    fi
}

# Prints the version that would be installed, nothing where there is no such package.
package_candidate() {
    case $(package_manager) in
        apt) apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([^(].*\)$/\1/p' ;;
        dnf) dnf -q repoquery --latest-limit=1 --qf '%{version}\n' "$1" 2>/dev/null | tail -n 1 ;;
    esac
}

# Prints the first of the named packages that this machine's repositories have.
first_available() {
    local package
    for package in "$@"; do
        if [ -n "$(package_candidate "$package")" ]; then
            echo "$package"
            return 0
        fi
    done
    return 1
}

install_packages() {
    say "installing $*"
    case $(package_manager) in
        apt)
            # Lists that are there may be stale and name files that are gone: then once more with new ones.
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >&2 ||
                { apt-get update -q </dev/null >&2 &&
                    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >&2; }
            ;;
        dnf) dnf install -y -q "$@" </dev/null >&2 ;;
    esac
}
