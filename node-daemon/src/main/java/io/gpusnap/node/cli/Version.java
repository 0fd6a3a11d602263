package io.gpusnap.node.cli;

/** The release that this is, from the jar's manifest. */
final class Version {

    private Version() {}

    static String current() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
