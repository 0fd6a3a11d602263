package io.gpusnap.demo;

/** {@code make demo}: ends 0 only if the thawed process answered what the frozen one would have. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(run());
    }

    private static int run() {
        try {
            Settings settings = Settings.from(System.getenv());
            Installation installation = Installation.find(System.getenv());
            new Demo(settings, installation, Terminal.standard()).run();
            return 0;
        } catch (DemoFailure failure) {
            System.err.println("demo: " + failure.getMessage());
            return 1;
        }
    }
}
