package io.gpusnap.deploy;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import com.marcnuri.helm.TemplateCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The chart, through Helm itself. */
final class Chart {
    static final Path FOLDER = Repository.path("deploy", "helm", "gpusnap");
    static final List<String> VALUE_SETS = List.of("default", "production", "kind");

    private static final Pattern MADE_TOKEN = Pattern.compile("(access-token: )[A-Za-z0-9+/]{56,60}={0,2}(?=\n)");

    private Chart() {}

    static Path values(String set) {
        return FOLDER.resolve("ci").resolve(set + "-values.yaml");
    }

    /** All manifests for one of the value sets; the token that the chart makes is masked. */
    static String render(String set) {
        String rendered = template().withValuesFile(values(set)).call();
        return MADE_TOKEN.matcher(rendered).replaceAll("$1bWFkZSBhdCB0aGUgaW5zdGFsbA==");
    }

    static TemplateCommand template() {
        return new Helm(FOLDER)
                .template()
                .withName("gpusnap")
                .withNamespace("gpusnap-system")
                .withKubeVersion("v1.33.0");
    }

    /** As `helm lint --strict` says it; values are read from the chart, so a copy of it gets these as its own. */
    static LintResult lint(Path scratch, String set) throws IOException {
        Path copy = Repository.copy(FOLDER, scratch.resolve(set).resolve("gpusnap"));
        Files.writeString(
                copy.resolve("values.yaml"),
                Yamls.dump(Yamls.merge(
                        Yamls.map(Files.readString(FOLDER.resolve("values.yaml"))),
                        Yamls.map(Files.readString(values(set))))));
        return new Helm(copy).lint().strict().call();
    }
}
