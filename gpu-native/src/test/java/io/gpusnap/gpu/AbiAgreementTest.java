package io.gpusnap.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.StructLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** gpusnap.h, the export map of the library, the library, and this binding say the same. */
class AbiAgreementTest {

    private static final Path NATIVE_SOURCES = Path.of(System.getProperty("gpusnap.root", ".."), "gpu-native/native");

    private final HeaderFile header = new HeaderFile(NATIVE_SOURCES.resolve("include/gpusnap.h"));

    AbiAgreementTest() throws IOException {}

    @Test
    void freedMemoryHasTheTagThatThePreloadGivesIt() throws IOException {
        assertThat(NATIVE_SOURCES.resolve("include/preload_protocol.h"))
                .content()
                .contains("#define GPUSNAP_WIRE_FREE_TAG \"" + RebuildableRange.FREED + "\"");
    }

    @Test
    void bindingHasTheFunctionsOfTheHeaderWithTheirSignatures() {
        Map<String, List<String>> bound = Arrays.stream(NativeFunction.values())
                .collect(Collectors.toMap(NativeFunction::symbol, AbiAgreementTest::kinds));
        Map<String, List<String>> declared = header.functions().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().kinds()));

        assertThat(bound).isEqualTo(declared).isNotEmpty();
    }

    @Test
    void bindingHasTheStructsOfTheHeaderFieldByField() {
        Map<String, HeaderFile.Struct> bound = Layouts.ALL.stream()
                .collect(Collectors.toMap(layout -> layout.name().orElseThrow(), AbiAgreementTest::struct));

        assertThat(bound).isEqualTo(header.structs()).isNotEmpty();
    }

    @Test
    void enumsHaveTheValuesOfTheHeader() {
        Map<String, Integer> values = header.enumerators();

        for (GpuStatus status : GpuStatus.values()) {
            if (status != GpuStatus.UNKNOWN) {
                String name = status == GpuStatus.OK ? "GPUSNAP_OK" : "GPUSNAP_E_" + status;
                assertThat(values.remove(name)).as(name).isEqualTo(status.code());
            }
        }
        sameOrder(values, "GPUSNAP_PROCESS_", ProcessState.values());
        sameOrder(values, "GPUSNAP_TARGET_", TargetState.values());
        sameOrder(values, "GPUSNAP_", Direction.values());
        assertThat(values).as("enumerators that the binding lacks").isEmpty();
    }

    @Test
    void refusalBitsAndAbiVersionAreThoseOfTheHeader() throws IOException {
        String text = Files.readString(NATIVE_SOURCES.resolve("include/gpusnap.h"));

        List<String> bits = Pattern.compile("#define GPUSNAP_REFUSE_(\\w+) \\(1u << (\\d+)\\)")
                .matcher(text)
                .results()
                .map(match -> match.group(1) + "=" + match.group(2))
                .toList();
        List<String> bound = Arrays.stream(Refusal.values())
                .filter(refusal -> refusal != Refusal.OTHER)
                .map(refusal -> refusal + "=" + refusal.ordinal())
                .toList();
        assertThat(bound).isEqualTo(bits);
        assertThat(text).contains("#define GPUSNAP_ABI_VERSION " + GpuSnapLibrary.ABI_VERSION + "u");
    }

    @Test
    void exportMapNamesTheFunctionsOfTheHeaderAndNoOthers() throws IOException {
        String map = Files.readString(NATIVE_SOURCES.resolve("driver/gpusnap.map"));
        Set<String> exported = Pattern.compile("\\b(gpusnap_\\w+);")
                .matcher(map)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(exported).isEqualTo(new TreeSet<>(header.functions().keySet()));
    }

    @Test
    void libraryExportsTheFunctionsOfTheHeaderAndNoOthers() throws IOException, InterruptedException {
        assumeTrue(Files.exists(SimulatedMachine.LIBRARY), "not built: " + SimulatedMachine.LIBRARY);
        Process readelf = new ProcessBuilder("readelf", "--dyn-syms", "-W", SimulatedMachine.LIBRARY.toString())
                .redirectErrorStream(true)
                .start();
        String listing = new String(readelf.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(readelf.waitFor()).as(listing).isZero();

        Set<String> exported = listing.lines()
                .filter(line -> line.contains(" FUNC ") && !line.contains(" UND "))
                .map(line -> line.replaceFirst(".* ", "").replaceFirst("@.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(exported).isEqualTo(new TreeSet<>(header.functions().keySet()));
    }

    private static void sameOrder(Map<String, Integer> values, String prefix, Enum<?>[] constants) {
        for (Enum<?> constant : constants) {
            assertThat(values.remove(prefix + constant.name()))
                    .as(prefix + constant.name())
                    .isEqualTo(constant.ordinal());
        }
    }

    private static List<String> kinds(NativeFunction function) {
        List<String> kinds = new ArrayList<>();
        kinds.add(
                function.descriptor().returnLayout().map(AbiAgreementTest::kind).orElse("v"));
        function.descriptor().argumentLayouts().forEach(layout -> kinds.add(kind(layout)));
        return kinds;
    }

    private static String kind(MemoryLayout layout) {
        return layout instanceof AddressLayout ? "p" : "i" + layout.byteSize();
    }

    private static HeaderFile.Struct struct(StructLayout layout) {
        List<HeaderFile.Field> fields = layout.memberLayouts().stream()
                .filter(member -> !(member instanceof PaddingLayout))
                .map(member -> {
                    String name = member.name().orElseThrow();
                    long offset = layout.byteOffset(PathElement.groupElement(name));
                    return new HeaderFile.Field(name, offset, member.byteSize());
                })
                .toList();
        return new HeaderFile.Struct(fields, layout.byteSize());
    }
}
