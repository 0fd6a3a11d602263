# Finds and installs the build tools. Every find_* prints one path, or fails. Sourced by bootstrap.sh.

jdk_version() {
    "$1/bin/java" -version 2>&1 </dev/null | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1
}

# Where distributions, vendors, images and version managers put JDKs, the caller's own wish first.
jdk_candidates() {
    local javac
    printf '%s\n' "${JAVA_HOME:-}" "${JDK_HOME:-}" "${JAVA_HOME_25_X64:-}" "${JAVA_HOME_25_ARM64:-}"
    if javac=$(command -v javac); then
        dirname "$(dirname "$(readlink -f "$javac")")"
    fi
    printf '%s\n' /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/java/* /usr/local/jdk* /usr/local/openjdk* \
        /opt/* /opt/java/* /opt/jdk/* "$home"/.sdkman/candidates/java/* "$home"/.jdks/* "$home"/.gradle/jdks/* \
        "$home"/.asdf/installs/java/* "$home"/.local/share/mise/installs/java/*
}

# JDK 25 itself if there is one, else the first newer one.
find_jdk() {
    local candidate major newer=''
    while IFS= read -r candidate; do
        [ -n "$candidate" ] && [ -x "$candidate/bin/javac" ] && [ -x "$candidate/bin/java" ] || continue
        major=$(jdk_version "$candidate")
        major=${major%%[.+-]*}
        case $major in
            25)
                echo "$candidate"
                return 0
                ;;
            '' | *[!0-9]*) ;;
            *) if [ "$major" -gt 25 ] && [ -z "$newer" ]; then newer=$candidate; fi ;;
        esac
    done < <(jdk_candidates)
    [ -n "$newer" ] && echo "$newer"
}

maven_version() {
    JAVA_HOME=$(find_jdk) "$1" -v 2>/dev/null </dev/null | sed 's/\x1b\[[0-9;]*m//g' | sed -n 's/^Apache Maven \([0-9.]*\).*/\1/p'
}

find_maven() {
    local candidate version
    find_jdk >/dev/null || return 1
    while IFS= read -r candidate; do
        [ -n "$candidate" ] && [ -x "$candidate" ] || continue
        version=$(maven_version "$candidate")
        if [ -n "$version" ] && version_at_least 3.8 "$version"; then
            echo "$candidate"
            return 0
        fi
    done < <(
        [ -z "${MAVEN_HOME:-}" ] || echo "$MAVEN_HOME/bin/mvn"
        [ -z "${M2_HOME:-}" ] || echo "$M2_HOME/bin/mvn"
        command -v mvn || true
        printf '%s\n' /opt/*maven*/bin/mvn /opt/maven/*/bin/mvn /usr/share/maven/bin/mvn /usr/local/*maven*/bin/mvn \
            "$home"/.sdkman/candidates/maven/*/bin/mvn
    )
    return 1
}

# Compiles a line that a compiler without C++20's library refuses.
find_cxx() {
    local candidate path
    for candidate in "${CXX:-}" c++ g++ g++-15 g++-14 g++-13 g++-12 g++-11 clang++; do
        [ -n "$candidate" ] && path=$(command -v "$candidate") || continue
        if printf '#include <span>\n#include <concepts>\nint main() { return std::span<int>{}.empty() ? 0 : 1; }\n' |
            "$path" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null; then
            echo "$path"
            return 0
        fi
    done
    return 1
}

cmake_version() {
    "$1" --version 2>/dev/null | sed -n 's/^cmake[0-9]* version \([0-9.]*\).*/\1/p'
}

find_cmake() {
    local candidate path version
    for candidate in cmake cmake3 /opt/cmake/bin/cmake /usr/local/bin/cmake; do
        path=$(command -v "$candidate") || continue
        version=$(cmake_version "$path")
        if [ -n "$version" ] && version_at_least 3.22 "$version"; then
            echo "$path"
            return 0
        fi
    done
    return 1
}

find_make() {
    command -v make
}

# Only tests need it: queries are tried on a real one.
find_prometheus() {
    command -v "${GPUSNAP_PROMETHEUS:-prometheus}"
}

# Only tests need it: machines that share a network are namespaces of this one.
find_ip() {
    command -v ip
}

# Only a test needs it: the compose file is read by the tool that will run it. It starts nothing and needs no engine.
find_compose() {
    local candidate path
    for candidate in "${GPUSNAP_COMPOSE:-}" docker-compose /usr/libexec/docker/cli-plugins/docker-compose \
        /usr/lib/docker/cli-plugins/docker-compose /usr/local/lib/docker/cli-plugins/docker-compose; do
        if [ -n "$candidate" ] && path=$(command -v "$candidate"); then
            echo "$path"
            return 0
        fi
    done
    return 1
}

# Names of packages, by tool and package manager, best first.
packages_of() {
    case $(package_manager):$1 in
        apt:jdk) first_available openjdk-25-jdk-headless temurin-25-jdk msopenjdk-25 zulu25-jdk-headless java-25-amazon-corretto-jdk ;;
        dnf:jdk) first_available java-25-openjdk-devel temurin-25-jdk java-25-amazon-corretto-devel msopenjdk-25 ;;
        apt:maven | dnf:maven) echo maven ;;
        apt:cxx) echo g++ ;;
        dnf:cxx) echo gcc-c++ ;;
        *:cmake) echo cmake ;;
        *:make) echo make ;;
        apt:ip) echo iproute2 ;;
        dnf:ip) echo iproute ;;
        apt:prometheus) echo prometheus ;;
        apt:compose) first_available docker-compose docker-compose-v2 docker-compose-plugin ;;
        dnf:compose) first_available docker-compose docker-compose-plugin ;;
        dnf:prometheus) first_available prometheus prometheus2 golang-github-prometheus ;;
    esac
}

install_tools() {
    may_install || return 0
    refresh_package_lists_if_missing
    local tool package packages=()
    for tool in "$@"; do
        if package=$(packages_of "$tool") && [ -n "$package" ]; then
            packages+=("$package")
        fi
    done
    if [ ${#packages[@]} -gt 0 ]; then
        install_packages "${packages[@]}" || say "the package manager could not install ${packages[*]}"
    fi
}

describe_tool() {
    case $1 in
        jdk) echo "JDK 25 (javac and java). Install one, e.g. openjdk-25-jdk-headless, temurin-25-jdk or java-25-openjdk-devel, or set JAVA_HOME" ;;
        maven) echo "Maven 3.8 or newer. Install the package maven, or put mvn on the PATH" ;;
        cxx) echo "a compiler for C++20. Install g++ 11 or newer (package g++ or gcc-c++), or set CXX" ;;
        cmake) echo "CMake 3.22 or newer. Install the package cmake" ;;
        make) echo "make. Install the package make" ;;
        ip) echo "ip, by which some tests make networks. Install the package iproute2 or iproute" ;;
        compose) echo "docker-compose, which a test reads the compose file with. Install the package docker-compose, or set GPUSNAP_COMPOSE" ;;
        prometheus) echo "prometheus, which some tests start. Install the package prometheus, or set GPUSNAP_PROMETHEUS" ;;
    esac
}
